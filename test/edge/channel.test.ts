// One client on one channel for everything: what it sends that asks for nothing, or is no message, is refused in words.

import { expect, test } from "bun:test";
import { Channel } from "../../src/edge/channel.ts";
import { ModernEdge } from "../../src/edge/modern.ts";
import { RunningCalls } from "../../src/edge/running-calls.ts";
import { Seal } from "../../src/edge/seal.ts";
import { silentLog } from "../../src/log.ts";
import { FakeTarget } from "./fake-target.ts";

function answersTo(...texts: string[]): unknown[] {
  using running = new RunningCalls(new Seal(Buffer.alloc(32, 1), "request-state"));
  const sent: unknown[] = [];
  using channel = new Channel({
    id: "it",
    target: new FakeTarget(),
    principal: "local",
    modern: new ModernEdge(running, silentLog),
    log: silentLog,
    send: (json) => sent.push(JSON.parse(json)),
  });
  for (const text of texts) channel.receiveText(text);
  return sent;
}

const refused = { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Not a JSON-RPC 2.0 message." } };

test.each(["[]", "[[]]", "null", "7", '{"jsonrpc":"2.0","id":{},"method":"ping"}'])(
  "%s is refused",
  (text) => {
    expect(answersTo(text)).toEqual([refused]);
  },
);

test("each message of a batch is answered by itself", () => {
  const ping = (id: number) => ({ jsonrpc: "2.0", id, method: "ping" });
  const answers = answersTo(JSON.stringify([ping(1), 7, ping(2)]));
  expect(answers).toEqual([
    { jsonrpc: "2.0", id: 1, result: {} },
    refused,
    { jsonrpc: "2.0", id: 2, result: {} },
  ]);
});
