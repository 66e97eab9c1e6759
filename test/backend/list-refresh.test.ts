// How often a server is asked for its lists, and which of its notices reach the clients.

import { afterEach, describe, expect, jest, test } from "bun:test";
import {
  FIRST_PAUSE_MS,
  ListRefresh,
  LONGEST_PAUSE_MS,
  NOTICES_WITHOUT_CHANGE,
  type ReadOutcome,
} from "../../src/backend/list-refresh.ts";
import { notification } from "../../src/protocol/jsonrpc.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestGateway } from "../target/gateway.ts";
import { callTool, listener, makeBackend, program } from "./rig.ts";

const TOOLS = "notifications/tools/list_changed";
const RESOURCES = "notifications/resources/list_changed";
const PROMPTS = "notifications/prompts/list_changed";

/** A server whose every read has the outcome that the test sets, and answers when the test says so. */
function world() {
  const reads: string[] = [];
  const delivered: string[] = [];
  const open: (() => void)[] = [];
  const state = { outcome: "unchanged" as ReadOutcome };
  const refresh = new ListRefresh({
    read: (methods) => {
      reads.push(methods.join(" "));
      return new Promise((resolve) => open.push(() => resolve(state.outcome)));
    },
    deliver: ({ method }) => void delivered.push(method),
  });
  const settle = async () => {
    for (const answer of open.splice(0)) answer();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { refresh, reads, delivered, state, settle };
}

describe("notices", () => {
  afterEach(() => jest.useRealTimers());

  test("while a list is read lead to one more read, however many they are", async () => {
    jest.useFakeTimers();
    const { refresh, reads, delivered, settle } = world();
    for (let sent = 0; sent < 500; sent++) refresh.notice(notification(TOOLS));
    expect(reads).toEqual(["tools/list"]);
    await settle();
    jest.advanceTimersByTime(FIRST_PAUSE_MS);
    await settle();
    jest.advanceTimersByTime(LONGEST_PAUSE_MS);
    await settle();
    expect(reads).toEqual(["tools/list", "tools/list"]);
    expect(delivered).toEqual([TOOLS, TOOLS]);
  });

  test("that come with every list are followed ever more slowly", async () => {
    jest.useFakeTimers();
    const { refresh, reads, delivered, settle } = world();
    refresh.notice(notification(TOOLS));
    const readsAfter = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 50) {
        refresh.notice(notification(TOOLS));
        await settle();
        jest.advanceTimersByTime(50);
      }
      return reads.length;
    };
    expect(await readsAfter(3_000)).toBeLessThan(6);
    const before = await readsAfter(120_000);
    expect((await readsAfter(10 * LONGEST_PAUSE_MS)) - before).toBeLessThanOrEqual(10);
    expect(delivered).toEqual(Array(NOTICES_WITHOUT_CHANGE).fill(TOOLS));
  });

  test("of a change are told by the read alone, and make the next read soon again", async () => {
    jest.useFakeTimers();
    const { refresh, reads, delivered, state, settle } = world();
    state.outcome = "changed";
    for (let round = 1; round < 5; round++) {
      refresh.notice(notification(TOOLS));
      await settle();
      jest.advanceTimersByTime(FIRST_PAUSE_MS);
      expect(reads).toHaveLength(round);
    }
    expect(delivered).toEqual([]);
  });

  test("reach the clients if the server gives no list, and end with the connection", async () => {
    jest.useFakeTimers();
    const { refresh, reads, delivered, state, settle } = world();
    state.outcome = "failed";
    refresh.notice(notification(PROMPTS));
    await settle();
    expect(delivered).toEqual([PROMPTS]);
    state.outcome = "gone";
    refresh.notice(notification(TOOLS));
    refresh.notice(notification(TOOLS));
    await settle();
    jest.advanceTimersByTime(LONGEST_PAUSE_MS);
    expect(reads).toEqual(["prompts/list", "tools/list"]);
    expect(delivered).toEqual([PROMPTS]);
  });

  test("that come while all lists are read at the start do not start a second read beside it", async () => {
    jest.useFakeTimers();
    const { refresh, reads, settle } = world();
    const done = refresh.readAll();
    refresh.notice(notification(TOOLS));
    refresh.notice(notification(PROMPTS));
    for (let kind = 0; kind < 3; kind++) await settle();
    await done;
    expect(reads).toEqual(["tools/list", "prompts/list", "resources/list resources/templates/list"]);
    jest.advanceTimersByTime(FIRST_PAUSE_MS);
    // The prompts were read after their notice, so that read is the answer to it.
    expect(reads.slice(3)).toEqual(["tools/list"]);
  });
});

describe("a real server", () => {
  test("that sends a notice with every list is asked a few times, and clients hear of it a few times", async () => {
    await using gateway = await TestGateway.start({
      backends: { echo: asBackend(fixture("notices-every-list")) },
    });
    await using sdk = await gateway.connect("echo");
    await sdk.client.listTools();
    await waitFor(() => sdk.listChanges > 0);
    const asked = async () => {
      const { content } = await sdk.client.callTool({ name: "asked", arguments: {} });
      return Number(Array.isArray(content) ? content[0]?.text : undefined);
    };
    const before = await asked();
    await sdk.client.callTool({ name: "flood", arguments: { count: 500 } });
    // The notices came before the answer: all of them have been heard.
    expect((await asked()) - before).toBeLessThanOrEqual(3);
    expect(sdk.listChanges).toBeLessThanOrEqual(NOTICES_WITHOUT_CHANGE);
  });

  test("that changes one list and says so of three has each of the three told", async () => {
    await using backend = makeBackend({ ...program(fixture("notices-every-list")), env: { QUIET: "1" } });
    const client = listener();
    using _subscription = backend.subscribe(client.subscriber);
    await callTool(backend, "asked");
    await backend.whenCompared();
    await callTool(backend, "three");
    await waitFor(() => client.heard.length >= 3);
    expect(client.heard.sort()).toEqual([PROMPTS, RESOURCES, TOOLS]);
    expect(backend.catalog.tools.map(({ name }) => name)).toContain("grown");
  });
});
