// A call that waits for its client: whoever comes back with the state goes on, once, and nobody else.

import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { type RunningCall, RunningCalls } from "../../src/edge/running-calls.ts";
import { Seal } from "../../src/edge/seal.ts";
import type { Json, Request } from "../../src/protocol/jsonrpc.ts";
import { FakeOutlet } from "./fake-outlet.ts";

const key = Buffer.alloc(32, 1);
let calls: RunningCalls;
beforeEach(() => {
  calls = new RunningCalls(new Seal(key, "request-state"));
});
afterEach(() => {
  calls[Symbol.dispose]();
  setSystemTime();
});

const never = new AbortController().signal;
const caller = {
  era: "modern",
  revision: "2026-07-28",
  capabilities: {},
  principal: "local",
  key: "request-1",
} as const;
const target = { name: "backend:one" };
const elicitation = (message: string) => ({ method: "elicitation/create", params: { message } });

function asked(params: Json = { name: "work", arguments: { a: 1, b: [2] } }, id = 1) {
  const message: Request = { jsonrpc: "2.0", id, method: "tools/call", params };
  return { message, principal: "local", target };
}

interface Parked {
  readonly call: RunningCall;
  readonly answer: Promise<Json>;
  readonly requestState: string;
  readonly inputRequests: Json;
}

/** A call that has asked one question, and whose client has been told. */
async function park(question = elicitation("Which?"), request = asked()): Promise<Parked> {
  const outlet = new FakeOutlet();
  const call = calls.start(request, caller, outlet);
  const answer = call.ask(question, never);
  answer.catch(() => {});
  const { requestState, inputRequests } = await outlet.result();
  return { call, answer, requestState: String(requestState), inputRequests: inputRequests as Json };
}

/** The same request again, with the state and an answer to everything. */
function retry(
  { requestState, inputRequests }: Parked,
  answer: Json = { action: "accept" },
  params: Json = {},
) {
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((name) => [name, answer]));
  return asked({ ...asked().message.params, ...params, requestState, inputResponses }, 2);
}

test("asks the client, takes its answer with the retry, and answers that", async () => {
  const parked = await park();
  expect(Object.values(parked.inputRequests)).toEqual([elicitation("Which?")]);
  const outlet = new FakeOutlet();
  calls.resume(retry(parked, { action: "accept", content: { which: "this" } }), outlet);
  expect(await parked.answer).toEqual({ action: "accept", content: { which: "this" } });
  parked.call.notify({ jsonrpc: "2.0", method: "notifications/progress" });
  parked.call.finish({ result: { done: true } });
  expect(await outlet.result()).toEqual({ done: true });
  expect(outlet.sent).toHaveLength(1);
});

test("puts questions that come together to the client together", async () => {
  const outlet = new FakeOutlet();
  const call = calls.start(asked(), caller, outlet);
  const answers = [call.ask(elicitation("one"), never), call.ask(elicitation("two"), never)];
  const { inputRequests, requestState } = await outlet.result();
  expect(Object.values(inputRequests as Json)).toEqual([elicitation("one"), elicitation("two")]);
  const [first = "", second = ""] = Object.keys(inputRequests as Json);
  const inputResponses = { [second]: { n: 2 }, [first]: { n: 1 } };
  calls.resume(asked({ ...asked().message.params, requestState, inputResponses }), new FakeOutlet());
  expect(await Promise.all(answers)).toEqual([{ n: 1 }, { n: 2 }]);
});

test("asks again what was left unanswered, under a new state", async () => {
  const parked = await park();
  const outlet = new FakeOutlet();
  calls.resume(asked({ ...asked().message.params, requestState: parked.requestState }), outlet);
  const again = await outlet.result();
  expect(again.inputRequests).toEqual(parked.inputRequests);
  expect(again.requestState).not.toBe(parked.requestState);
});

test("takes a retry whose params come in another order, or with other metadata", async () => {
  const parked = await park();
  const params = { _meta: { trace: 1 }, arguments: { b: [2], a: 1 }, name: "work" };
  calls.resume(retry(parked, {}, params), new FakeOutlet());
  expect(await parked.answer).toEqual({});
});

test("a call that ends while its client thinks is answered when the client comes back", async () => {
  const parked = await park();
  parked.call.finish({ error: { code: -32000, message: "too late" } });
  const outlet = new FakeOutlet();
  calls.resume(retry(parked), outlet);
  expect(await outlet.outcome).toEqual({ error: { code: -32000, message: "too late" } });
});

describe("refuses", () => {
  const wrong = (request: ReturnType<typeof asked>) => () => calls.resume(request, new FakeOutlet());

  test("the state of a request to another principal, another target, or with other params", async () => {
    const parked = await park();
    const good = retry(parked);
    const refusal = "does not belong to this request";
    expect(wrong({ ...good, principal: "somebody else" })).toThrow(refusal);
    expect(wrong({ ...good, target: { name: "backend:two" } })).toThrow(refusal);
    expect(wrong(retry(parked, {}, { arguments: { a: 2, b: [2] } }))).toThrow(refusal);
    expect(wrong(retry(parked, {}, { extra: 1 }))).toThrow(refusal);
    expect(wrong({ ...good, message: { ...good.message, method: "prompts/get" } })).toThrow(refusal);
    calls.resume(good, new FakeOutlet());
    expect(await parked.answer).toEqual({ action: "accept" });
  });

  test("a state that was changed, or that somebody else sealed", async () => {
    const parked = await park();
    const [body = "", signature = ""] = parked.requestState.split(".");
    const payload = JSON.parse(Buffer.from(body, "base64url").toString());
    const forged = [
      `${Buffer.from(JSON.stringify({ ...payload, n: 2 })).toString("base64url")}.${signature}`,
      `${body}.${signature.slice(0, -1)}`,
      `${parked.requestState}=`,
      new Seal(Buffer.alloc(32, 2), "request-state").close(payload),
      new Seal(key, "session").close(payload),
    ];
    for (const requestState of forged) {
      const request = retry({ ...parked, requestState });
      expect(calls.isOurs(request.message), requestState).toBe(false);
      expect(wrong(request)).toThrow("does not belong to this request");
    }
  });

  test("a state that was used", async () => {
    const parked = await park();
    calls.resume(retry(parked), new FakeOutlet());
    expect(wrong(retry(parked))).toThrow("was used already");
    await parked.answer;
    parked.call.finish({ result: {} });
    expect(wrong(retry(parked))).toThrow("was used already");
  });

  test("a state of an earlier round", async () => {
    const parked = await park();
    const outlet = new FakeOutlet();
    calls.resume(asked({ ...asked().message.params, requestState: parked.requestState }), outlet);
    await outlet.outcome;
    expect(wrong(retry(parked))).toThrow("was used already");
  });

  test("a state that is too old", async () => {
    const parked = await park();
    setSystemTime(Date.now() + 24 * 3_600_000 + 1_000);
    expect(wrong(retry(parked))).toThrow("has expired");
  });

  test("a state of another process, which has no such call", async () => {
    const parked = await park();
    using restarted = new RunningCalls(new Seal(key, "request-state"));
    expect(restarted.isOurs(retry(parked).message)).toBe(true);
    expect(() => restarted.resume(retry(parked), new FakeOutlet())).toThrow("make the call anew");
  });

  test("a sealed payload of another shape", () => {
    const requestState = new Seal(key, "request-state").close({ r: 1 });
    expect(wrong(asked({ ...asked().message.params, requestState }))).toThrow("does not belong");
  });
});

describe("a client that goes away", () => {
  test("cancels its call", () => {
    const outlet = new FakeOutlet();
    const call = calls.start(asked(), caller, outlet);
    call.leave(outlet);
    expect(call.signal.aborted).toBe(true);
  });

  test("does not cancel a call that is parked, nor one that has another request now", async () => {
    const first = new FakeOutlet();
    const call = calls.start(asked(), caller, first);
    const answer = call.ask(elicitation("Which?"), never);
    const { requestState, inputRequests } = await first.result();
    call.leave(first);
    expect(call.signal.aborted).toBe(false);
    const second = new FakeOutlet();
    const parked = { call, answer, requestState: String(requestState), inputRequests: inputRequests as Json };
    calls.resume(retry(parked), second);
    call.leave(first);
    expect(call.signal.aborted).toBe(false);
    call.leave(second);
    expect(call.signal.aborted).toBe(true);
  });
});

describe("a question", () => {
  test("that its backend takes back fails, and is not asked again", async () => {
    const outlet = new FakeOutlet();
    const call = calls.start(asked(), caller, outlet);
    const withdrawn = new AbortController();
    const answer = call.ask(elicitation("Which?"), withdrawn.signal);
    withdrawn.abort();
    await expect(answer).rejects.toThrow("withdrawn");
    call.finish({ result: {} });
    expect(await outlet.result()).toEqual({});
  });

  test("fails when the call is given up", async () => {
    const parked = await park();
    parked.call.abandon();
    await expect(parked.answer).rejects.toThrow("withdrawn");
    expect(() => calls.resume(retry(parked), new FakeOutlet())).toThrow("was used already");
  });
});

test("a thousand calls may wait; one more is refused unless one has ended", async () => {
  const all = await Promise.all(Array.from({ length: 1_000 }, () => park()));
  const outlet = new FakeOutlet();
  const refused = calls.start(asked(), caller, outlet).ask(elicitation("one more"), never);
  await expect(refused).rejects.toThrow("Too many calls wait");
  all[500]?.call.finish({ result: {} });
  await park();
});
