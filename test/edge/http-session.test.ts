// The streams of one legacy session: what each carries, and what of them can be taken up again.

import { afterEach, describe, expect, test } from "bun:test";
import { Heartbeat } from "../../src/edge/event-sink.ts";
import { HttpSession } from "../../src/edge/http-session.ts";
import { silentLog } from "../../src/log.ts";
import type { Answer, Call } from "../../src/protocol/call.ts";
import { notification, type Request, request } from "../../src/protocol/jsonrpc.ts";
import { waitFor } from "../support/wait-for.ts";
import { EventReader } from "./event-reader.ts";
import { FakeTarget } from "./fake-target.ts";

const owned = new DisposableStack();
const heartbeat = owned.use(new Heartbeat());
const servers = new Set<Bun.Server<undefined>>();
afterEach(async () => {
  await waitFor(() => heartbeat.streams === 0, { what: "the streams to end" });
  for (const server of servers) await server.stop(true);
  servers.clear();
});

/** The response as a client gets it: what becomes of a stream shows only there. */
function overHttp(response: Response): Promise<Response> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch: () => response });
  servers.add(server);
  return fetch(server.url);
}

async function read(response: Response | Promise<Response>): Promise<EventReader> {
  return new EventReader(await overHttp(await response));
}

function openSession(target: FakeTarget, revision = "2025-11-25"): HttpSession {
  const facts = { revision, capabilities: { elicitation: {} }, principal: "local" };
  return new HttpSession({ id: "session", facts, target, log: silentLog, heartbeat });
}

const callTool: Request = request(7, "tools/call", { name: "work" });
const log = (data: string) => notification("notifications/message", { level: "info", data });

/** A target whose calls wait for the test. */
function held() {
  const answer = Promise.withResolvers<Answer>();
  const target = new FakeTarget(() => answer.promise);
  const call = (): Call => {
    const [first] = target.calls;
    if (first === undefined) throw new Error("nothing was called");
    return first;
  };
  return { target, call, finish: (result = { content: [] }) => answer.resolve({ result }) };
}

async function resume(session: HttpSession, lastEventId: string | null): Promise<EventReader> {
  const response = session.get(lastEventId);
  if (response === undefined) throw new Error("there was nothing to resume");
  return read(response);
}

describe("a POST", () => {
  test("is answered with JSON where nothing came before the answer", async () => {
    using session = openSession(new FakeTarget(() => ({ result: { content: [] } })));
    const response = await session.post(callTool, true);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("mcp-session-id")).toBe("session");
    expect(await response.json()).toEqual({ jsonrpc: "2.0", id: 7, result: { content: [] } });
  });

  test("streams what comes before the answer, and ends with it", async () => {
    const { target, call, finish } = held();
    using session = openSession(target);
    const response = session.post(callTool, true);
    call().notify(log("one"));
    const reader = await read(response);
    call().notify(log("two"));
    finish();
    expect(await reader.ended()).toEqual([
      log("one"),
      log("two"),
      { jsonrpc: "2.0", id: 7, result: { content: [] } },
    ]);
  });

  test("says nothing after its answer", async () => {
    const { target, call, finish } = held();
    using session = openSession(target);
    const response = session.post(callTool, true);
    finish();
    expect(await (await response).json()).toMatchObject({ id: 7 });
    call().notify(log("late"));
  });

  test("is primed with an id for clients of 2025-11-25 only", async () => {
    for (const [revision, isPrimed] of [
      ["2025-11-25", true],
      ["2025-06-18", false],
      ["2025-03-26", false],
    ] as const) {
      const { target, call, finish } = held();
      using session = openSession(target, revision);
      const response = session.post(callTool, true);
      call().notify(log("one"));
      finish();
      const text = await (await response).text();
      expect(/^id: \S+\ndata: \n\n/.test(text), revision).toBe(isPrimed);
    }
  });
});

describe("a broken POST stream", () => {
  test("goes on at the event that the client saw last, with all that was said while nobody listened", async () => {
    const { target, call, finish } = held();
    using session = openSession(target);
    const response = session.post(callTool, true);
    call().notify(log("seen"));
    const first = await read(response);
    await first.until(1);
    await first.leave();
    call().notify(log("missed"));
    const second = await resume(session, first.lastId);
    const missed = await second.until(1);
    expect(missed).toEqual([log("missed")]);
    call().notify(log("after"));
    finish();
    expect((await second.ended()).slice(1)).toEqual([
      log("after"),
      { jsonrpc: "2.0", id: 7, result: { content: [] } },
    ]);
  });

  test("is whole even where the call has ended in the meantime", async () => {
    const { target, call, finish } = held();
    using session = openSession(target);
    const response = session.post(callTool, true);
    call().notify(log("seen"));
    const first = await read(response);
    await first.until(1);
    await first.leave();
    call().notify(log("missed"));
    finish();
    await Bun.sleep(0);
    const answer = { jsonrpc: "2.0", id: 7, result: { content: [] } };
    expect(await (await resume(session, first.lastId)).ended()).toEqual([log("missed"), answer]);
    expect(await (await resume(session, first.lastId)).ended()).toEqual([log("missed"), answer]);
  });

  test("has no rest once the answer was seen", async () => {
    const { target, call, finish } = held();
    using session = openSession(target);
    const response = session.post(callTool, true);
    call().notify(log("seen"));
    const first = await read(response);
    finish();
    await first.ended();
    expect(session.get(first.lastId)).toBeUndefined();
  });

  test("does not bring what other streams said", async () => {
    const calls: ReturnType<typeof Promise.withResolvers<Answer>>[] = [];
    const target = new FakeTarget(() => {
      const answer = Promise.withResolvers<Answer>();
      calls.push(answer);
      return answer.promise;
    });
    using session = openSession(target);
    const responses = [session.post(callTool, true), session.post(callTool, true)];
    const [one, two] = target.calls;
    one?.notify(log("one"));
    two?.notify(log("two"));
    const [first, second] = await Promise.all(responses.map(read));
    await first?.until(1);
    await first?.leave();
    two?.notify(log("two again"));
    calls[0]?.resolve({ result: { of: "one" } });
    calls[1]?.resolve({ result: { of: "two" } });
    expect(await (await resume(session, first?.lastId ?? "")).ended()).toEqual([
      { jsonrpc: "2.0", id: 7, result: { of: "one" } },
    ]);
    expect(await second?.ended()).toEqual([
      log("two"),
      log("two again"),
      { jsonrpc: "2.0", id: 7, result: { of: "two" } },
    ]);
  });

  test("of a process that is gone is answered with an error, once", async () => {
    const { target, call, finish } = held();
    using before = openSession(target);
    const response = before.post({ ...callTool, id: "the call" }, true);
    call().notify(log("seen"));
    const first = await read(response);
    await first.until(1);
    await first.leave();
    finish();

    const other = held();
    using after = openSession(other.target);
    const running = after.post(callTool, true);
    other.call().notify(log("of another call"));
    const lost = await resume(after, first.lastId);
    expect(await lost.ended()).toEqual([
      {
        jsonrpc: "2.0",
        id: "the call",
        error: { code: -32000, message: expect.stringContaining("is lost") },
      },
    ]);
    expect(after.get(lost.lastId)).toBeUndefined();
    other.finish();
    await (await running).text();
  });
});

describe("the GET stream", () => {
  const changed = notification("notifications/tools/list_changed");

  test("carries what belongs to no request", async () => {
    const target = new FakeTarget();
    using session = openSession(target);
    const reader = await resume(session, null);
    target.announce(changed);
    expect(await reader.until(1)).toEqual([changed]);
  });

  test.each(["2025-11-25", "2025-06-18", "2025-03-26"])("says something at once (%s)", async (revision) => {
    using session = openSession(new FakeTarget(), revision);
    const response = await overHttp(session.get(null) ?? Response.error());
    const first = await response.body?.getReader().read();
    const isPrimed = revision === "2025-11-25";
    expect(new TextDecoder().decode(first?.value)).toMatch(isPrimed ? /^id: / : /^: /);
  });

  test("is replaced by a second one: each message goes to the last that was opened", async () => {
    const target = new FakeTarget();
    using session = openSession(target);
    const first = await resume(session, null);
    const second = await resume(session, null);
    expect(await first.ended()).toEqual([]);
    target.announce(changed);
    expect(await second.until(1)).toEqual([changed]);
  });

  test("goes on after the last event that was seen", async () => {
    const target = new FakeTarget();
    using session = openSession(target);
    const first = await resume(session, null);
    target.announce(changed);
    target.announce(log("two"));
    await first.until(2);
    const seen = first.events.find(({ data }) => data !== "")?.id ?? "";
    const second = await resume(session, seen);
    target.announce(log("three"));
    expect(await second.until(2)).toEqual([log("two"), log("three")]);
  });

  test("brings what was said while no stream was open", async () => {
    const target = new FakeTarget();
    using session = openSession(target);
    const first = await resume(session, null);
    await first.leave();
    await waitFor(() => heartbeat.streams === 0, { what: "the gateway to see the client leave" });
    target.announce(changed);
    target.announce(changed);
    expect(await (await resume(session, null)).until(1)).toEqual([changed]);
  });

  test("of a process that is gone is opened anew", async () => {
    using before = openSession(new FakeTarget());
    const old = await resume(before, null);
    await Bun.sleep(0);
    before[Symbol.dispose]();
    await old.ended();

    const target = new FakeTarget();
    using after = openSession(target);
    const reader = await resume(after, old.lastId);
    target.announce(changed);
    expect(await reader.until(1)).toEqual([changed]);
    expect(reader.hasEnded).toBe(false);
  });

  test("is opened anew for an id that is none of ours", async () => {
    const target = new FakeTarget();
    using session = openSession(target);
    for (const id of ["", "12", "1-5", "nonsense\u00ff"]) {
      const reader = await resume(session, id);
      target.announce(log(id));
      expect(await reader.until(1)).toEqual([log(id)]);
    }
  });
});
