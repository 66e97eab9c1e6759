// How quickly /health answers while backends hang in their start, and clients wait for them.

import { fixture } from "../../test/support/fixture.ts";
import { echo } from "./calls.ts";
import { Session } from "./mcp-client.ts";
import type { Program } from "./program.ts";
import { type Latencies, summarize } from "./statistics.ts";
import { startGateway } from "./subjects.ts";
import { Wire } from "./wire.ts";

const HANGING = 10;
/** Clients that wait for each of them. */
const WAITING = 3;
const WIRES = 4;
const DEADLINE_MS = 30_000;

/** Of so many GET /health, on a few connections side by side. */
export async function healthWhileHanging(
  gateway: readonly string[],
  folder: string,
  requests: number,
): Promise<Latencies> {
  const [command, ...args] = fixture("hangs-on-start");
  const names = Array.from({ length: HANGING }, (_, index) => `hanging-${index + 1}`);
  const backends = Object.fromEntries(names.map((name) => [name, { command, args }]));
  await using program = await startGateway(gateway, { backends, start_timeout: "10m" }, folder);
  const waiting = await Promise.all(
    names.flatMap((name) => Array(WAITING).fill(name)).map((name: string) => wait(program, name)),
  );
  await untilAllHang(program);
  const milliseconds = await askHealth(program, requests);
  if (!(await allHang(program))) throw new Error("not every backend hung to the end");
  for (const wire of waiting) wire.close();
  return summarize(milliseconds);
}

/** A call that gets no answer. */
async function wait({ port }: Program, name: string): Promise<Wire> {
  const wire = await Wire.connect(port);
  const request = Session.modern({ port, path: `/mcp/${name}` }).request(1, echo(100));
  void wire.exchange(request).catch(() => undefined);
  return wire;
}

async function untilAllHang(program: Program): Promise<void> {
  const untilMs = performance.now() + DEADLINE_MS;
  while (!(await allHang(program))) {
    if (performance.now() >= untilMs) throw new Error("not every backend came to hang");
    await Bun.sleep(50);
  }
}

async function allHang({ port }: Program): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  return (await response.text()).split('"state":"starting"').length === HANGING + 1;
}

async function askHealth({ port }: Program, requests: number): Promise<number[]> {
  const request = `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  const milliseconds: number[] = [];
  await Promise.all(
    Array.from({ length: WIRES }, async () => {
      const wire = await Wire.connect(port);
      while (milliseconds.length < requests) {
        const startedMs = performance.now();
        const { status, arrivedMs } = await wire.exchange(request);
        if (status !== 200) throw new Error(`/health was answered with ${status}`);
        milliseconds.push(arrivedMs - startedMs);
      }
      wire.close();
    }),
  );
  return milliseconds;
}
