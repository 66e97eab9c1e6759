// Sessions outlive the process: a gateway is killed and started again, and its clients go on.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { openSession, post } from "../support/post.ts";
import { descendants, isRunning } from "../support/process-table.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { EventReader } from "./event-reader.ts";
import { GatewayProcess, programEntry } from "./gateway-process.ts";

const backends = { reference: programEntry(referenceCommand("legacy")) };
let gateway: GatewayProcess;
let direct: string;
beforeAll(async () => {
  gateway = await GatewayProcess.start({ backends });
  direct = `${gateway.url}/mcp/reference`;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const NOT_FOUND = { error: { code: -32001 } };

async function restart(): Promise<void> {
  await gateway.kill();
  await gateway.startAgain();
}

function call(id: number | string, name: string, args: object = {}, meta?: object) {
  const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return { jsonrpc: "2.0", id, method: "tools/call", params };
}

const progressing = (ms: number, id: number | string = 1, steps = 4) =>
  call(id, "slow", { ms, steps, key: "k" }, { progressToken: "p" });

function getStream(headers: Record<string, string>, lastEventId?: string): Promise<Response> {
  const resumed = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  return fetch(direct, { headers: { accept: "text/event-stream", ...headers, ...resumed } });
}

describe("after kill -9 and a new start", () => {
  test("a client of the official SDK goes on without noticing: calls, questions, news", async () => {
    await using sdk = await SdkClient.connect(direct);
    const { sessionId } = sdk.transport;
    expect(await sdk.text("echo", { n: 1 })).toBe('{"n":1}');
    await restart();
    expect(await sdk.text("echo", { n: 2 })).toBe('{"n":2}');
    expect(await sdk.text("test_sampling", { prompt: "say it" })).toBe("LLM response: sampled words");
    expect(await sdk.text("test_elicitation", { message: "who?" })).toContain("Ada");
    // The SDK opens its GET stream again by itself, with the id of an event that the new process has never sent.
    await waitFor(
      async () => {
        await sdk.text("change_list", { list: "tools", present: true });
        return sdk.listChanges > 0;
      },
      { what: "the news of a changed list" },
    );
    expect(sdk.transport.sessionId).toBe(sessionId);
  });

  test("a client of the meta-tools goes on, too", async () => {
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.invoke("reference", "echo", { n: 1 })).toBe('{"n":1}');
    await restart();
    expect(await sdk.invoke("reference", "echo", { n: 2 })).toBe('{"n":2}');
    expect(await sdk.invoke("reference", "test_elicitation", { message: "who?" })).toContain("Ada");
  });

  test("nothing is left of the children of the killed one", async () => {
    await using sdk = await SdkClient.connect(direct);
    await sdk.text("echo");
    const children = descendants(gateway.pid).map(({ pid }) => pid);
    expect(children.length).toBeGreaterThan(0);
    await restart();
    await waitFor(() => !children.some(isRunning), { what: "the end of the children" });
  });

  test("a session that was ended stays ended; another goes on", async () => {
    const [ended, other] = [await openSession(direct), await openSession(direct)];
    expect((await fetch(direct, { method: "DELETE", headers: ended })).status).toBe(200);
    await restart();
    const refused = await post(direct, call(1, "echo"), ended);
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject(NOT_FOUND);
    expect((await fetch(direct, { method: "DELETE", headers: ended })).status).toBe(404);
    expect((await getStream(ended)).status).toBe(404);
    expect((await post(direct, call(1, "echo"), other)).status).toBe(200);
  });

  test("a call that ran is answered with an error where its stream is resumed", async () => {
    const session = await openSession(direct);
    const reader = new EventReader(await post(direct, progressing(60_000, "lost one", 600), session));
    await waitFor(() => reader.events.length > 0);
    await gateway.kill();
    await waitFor(() => reader.hasEnded);
    await gateway.startAgain();
    const resumed = new EventReader(await getStream(session, reader.lastId));
    expect(await resumed.ended()).toEqual([
      {
        jsonrpc: "2.0",
        id: "lost one",
        error: { code: -32000, message: expect.stringContaining("is lost") },
      },
    ]);
    expect((await getStream(session, resumed.lastId)).status).toBe(405);
  });

  test("the SDK hears so as well, instead of waiting", async () => {
    await using sdk = await SdkClient.connect(direct);
    let heard = 0;
    const params = { name: "slow", arguments: { ms: 60_000, steps: 600, key: "k" } };
    const lost = sdk.client.callTool(params, undefined, { onprogress: () => (heard += 1) });
    const failure = lost.catch((error: Error) => error.message);
    await waitFor(() => heard > 0);
    await restart();
    expect(await failure).toContain("is lost");
  });
});

describe("a session is taken only", () => {
  test("with its id unchanged, at its own target", async () => {
    const session = await openSession(direct);
    const id = session["mcp-session-id"] ?? "";
    expect((await post(direct, call(1, "echo"), session)).status).toBe(200);
    for (const wrong of [`${id}x`, id.slice(0, -1), `x${id}`, id.replace(".", ""), "none", `${id}=`]) {
      const response = await post(direct, call(1, "echo"), { ...session, "mcp-session-id": wrong });
      expect(response.status, wrong).toBe(404);
      expect(await response.json()).toMatchObject({ id: 1, ...NOT_FOUND });
    }
    expect((await post(`${gateway.url}/mcp`, call(1, "echo"), session)).status).toBe(404);
    const meta = await openSession(`${gateway.url}/mcp`);
    expect((await post(direct, call(1, "echo"), meta)).status).toBe(404);
  });

  test("from the principal that opened it", async () => {
    const withToken = (token: string) => ({ backends, auth: { token } });
    await using secured = await GatewayProcess.start(withToken("the-first-token-0123456789"));
    const url = `${secured.url}/mcp/reference`;
    const first = { authorization: "Bearer the-first-token-0123456789" };
    const second = { authorization: "Bearer the-second-token-9876543210" };
    const opening = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "c", version: "1" },
    };
    const opened = await post(url, { jsonrpc: "2.0", id: 0, method: "initialize", params: opening }, first);
    const session = { "mcp-session-id": opened.headers.get("mcp-session-id") ?? "" };
    expect((await post(url, call(1, "echo"), { ...session, ...first })).status).toBe(200);
    expect((await post(url, call(1, "echo"), session)).status).toBe(401);
    await secured.kill();
    await secured.startAgain(withToken("the-second-token-9876543210"));
    expect((await post(url, call(1, "echo"), { ...session, ...second })).status).toBe(404);
    expect((await post(url, call(1, "echo"), { ...session, ...first })).status).toBe(401);
  });
});

describe("streams", () => {
  test("a second GET stream takes the place of the first", async () => {
    const session = await openSession(direct);
    const first = new EventReader(await getStream(session));
    const second = new EventReader(await getStream(session));
    expect(await first.ended()).toEqual([]);
    await post(direct, call(1, "change_list", { list: "prompts", present: true }), session);
    expect(await second.until(1)).toEqual([{ jsonrpc: "2.0", method: "notifications/prompts/list_changed" }]);
    await second.leave();
  });

  test("a GET stream goes on after the event that was seen last", async () => {
    const session = await openSession(direct);
    const first = new EventReader(await getStream(session));
    await post(direct, call(1, "change_list", { list: "prompts", present: true }), session);
    await first.until(1);
    const { lastId } = first;
    await first.leave();
    await post(direct, call(1, "change_list", { list: "resources", present: true }), session);
    const second = new EventReader(await getStream(session, lastId));
    expect(await second.until(1)).toEqual([
      { jsonrpc: "2.0", method: "notifications/resources/list_changed" },
    ]);
    await second.leave();
  });

  test("a POST stream that broke off goes on where it was, to the answer", async () => {
    const session = await openSession(direct);
    const first = new EventReader(await post(direct, progressing(800), session));
    await first.until(1);
    const { lastId } = first;
    await first.leave();
    const resumed = new EventReader(await getStream(session, lastId));
    const [second, third, fourth, answer] = await resumed.ended();
    expect([second, third, fourth]).toMatchObject(
      [2, 3, 4].map((progress) => ({ params: { progressToken: "p", progress } })),
    );
    expect(answer).toMatchObject({ id: 1, result: { content: [{ text: "k: done" }] } });
  });

  test("what is said while nobody listens to a POST is not lost", async () => {
    const session = await openSession(direct);
    const first = new EventReader(await post(direct, progressing(400), session));
    await first.until(1);
    const { lastId } = first;
    await first.leave();
    // Until the call has ended, by another session.
    const other = await openSession(direct);
    await waitFor(async () => {
      const log = await (await post(direct, call(9, "slow_log"), other)).text();
      return log.includes('"k"');
    });
    const resumed = new EventReader(await getStream(session, lastId));
    const messages = await resumed.ended();
    expect(messages).toHaveLength(4);
    expect(messages[3]).toMatchObject({ id: 1, result: { content: [{ text: "k: done" }] } });
  });

  test("a stream of one session cannot be resumed by another", async () => {
    const [owner, thief] = [await openSession(direct), await openSession(direct)];
    const first = new EventReader(await post(direct, progressing(400), owner));
    await first.until(1);
    await first.leave();
    const stolen = new EventReader(await getStream(thief, first.lastId));
    expect(await stolen.ended()).toMatchObject([{ id: 1, error: { code: -32000 } }]);
  });
});
