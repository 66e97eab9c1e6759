import { expect, test } from "bun:test";
import { echo, fill, invoked, take } from "../../scripts/bench/calls.ts";
import { checkAnswer } from "../../scripts/bench/mcp-client.ts";

const call = echo(20);

function reply(message: object, { status = 200, events = false } = {}) {
  const json = JSON.stringify(message);
  const text = events
    ? `event: message\nid: 1\ndata: {"jsonrpc":"2.0","method":"x"}\n\ndata: ${json}\n\n`
    : json;
  const type = events ? "text/event-stream" : "application/json";
  return { status, head: `HTTP/1.1 ${status} OK\r\nContent-Type: ${type}`, text, arrivedMs: 0 };
}

function answer(id: number, text: string, more: object = {}) {
  return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }], ...more } };
}

test("both forms of the right answer pass", () => {
  checkAnswer(reply(answer(7, call.expected(7))), 7, call);
  checkAnswer(reply(answer(7, call.expected(7)), { events: true }), 7, call);
});

test.each([
  ["another id", reply(answer(8, call.expected(7)))],
  ["an id of another type", reply({ ...answer(7, call.expected(7)), id: "7" })],
  ["another call's content", reply(answer(7, call.expected(8)))],
  ["a failed result", reply(answer(7, call.expected(7), { isError: true }))],
  ["another status", reply(answer(7, call.expected(7)), { status: 202 })],
  ["an error", reply({ jsonrpc: "2.0", id: 7, error: { code: -32000, message: "busy" } })],
  ["a stream with nothing for us", reply(answer(8, call.expected(8)), { events: true })],
])("%s is refused", (_what, wrong) => {
  expect(() => checkAnswer(wrong, 7, call)).toThrow(/7/);
});

test("calls have the sizes that the workloads name", () => {
  expect(echo(100).expected(123)).toHaveLength(100);
  expect(fill(10_000).expected(1)).toHaveLength(10_000);
  expect(JSON.parse(`{${take(1_000).params(1)}}`).arguments.text).toHaveLength(1_000);
});

test("a call by way of the meta-tool carries the same call inside", () => {
  const { name, params, expected } = invoked(call, "stdio");
  expect(JSON.parse(`{${params(5)}}`)).toEqual({
    name: "gateway_invoke",
    arguments: { server: "stdio", max_tokens: 0, tool: "echo", arguments: { text: expected(5) } },
  });
  expect(name).toBe("gateway_invoke");
});
