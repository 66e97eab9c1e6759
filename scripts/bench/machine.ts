// What figures were taken on: they mean nothing without it.

import { cpus, loadavg, release } from "node:os";

/** The load average is that of all who share the machine, the harness itself included. */
export function describeMachine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? "unknown processor";
  const load = loadavg().map((average) => average.toFixed(1));
  return `${cores.length} x ${model}, ${process.platform} ${release()}, Bun ${Bun.version}; load average ${load.join(" ")}`;
}
