// Time from exec to an end, or to an answer: a process of its own for every run.

import type { Subprocess } from "bun";
import type { Reply } from "./http-response.ts";
import { freePort, withoutProxy } from "./program.ts";
import { gatewayEnv, serveArguments } from "./subjects.ts";
import { Wire } from "./wire.ts";

const DEADLINE_MS = 30_000;

/** What is asked of a gateway that has just been started, and how a right answer is known. */
export interface Question {
  request(port: number): string;
  /** Throws where the answer is wrong. */
  check(reply: Reply): void;
}

/** Milliseconds until the command has run and ended well. */
export async function timeToEnd(command: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"] });
  const exitCode = await child.exited;
  const tookMs = performance.now() - startedMs;
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}`);
  return tookMs;
}

/** Milliseconds until a gateway with this configuration has given its first answer. Its state stays in `folder`. */
export async function timeToAnswer(
  gateway: readonly string[],
  config: object,
  folder: string,
  question: Question,
): Promise<number> {
  const port = await freePort();
  const command = [...gateway, ...serveArguments(config, folder), "--port", String(port)];
  const env = { ...withoutProxy(process.env), ...gatewayEnv(folder) };
  const startedMs = performance.now();
  const child = Bun.spawn(command, { env, stdio: ["ignore", "ignore", "ignore"] });
  try {
    const wire = await firstWire(port, child);
    const reply = await wire.exchange(question.request(port));
    wire.close();
    question.check(reply);
    return reply.arrivedMs - startedMs;
  } finally {
    child.kill();
    await child.exited;
  }
}

/** Knocks until somebody opens. */
async function firstWire(port: number, child: Subprocess): Promise<Wire> {
  for (const untilMs = performance.now() + DEADLINE_MS; performance.now() < untilMs; await Bun.sleep(0.5)) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    const wire = await Wire.connect(port).catch(() => undefined);
    if (wire !== undefined) return wire;
  }
  throw new Error(`the gateway did not listen within ${DEADLINE_MS} ms`);
}
