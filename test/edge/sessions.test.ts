// All sessions of one process: found by id, made again from the id alone, bounded in number and time.

import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { Heartbeat } from "../../src/edge/event-sink.ts";
import { Seal } from "../../src/edge/seal.ts";
import { EndedSessions, MAX_ENDED, Sessions } from "../../src/edge/sessions.ts";
import { silentLog } from "../../src/log.ts";
import { request } from "../../src/protocol/jsonrpc.ts";
import { FakeTarget } from "./fake-target.ts";

const MAX_SESSIONS = 10_000;
const DAY_MS = 24 * 3_600_000;
const facts = {
  revision: "2025-06-18",
  capabilities: { sampling: {} },
  clientInfo: { name: "test", version: "1" },
  principal: "local",
};
const target = new FakeTarget();
let heartbeat: Heartbeat;
beforeEach(() => {
  heartbeat = new Heartbeat();
});
afterEach(() => {
  heartbeat[Symbol.dispose]();
  setSystemTime();
});

function start(ended = new EndedSessions(), key = Buffer.alloc(32, 1)): Sessions {
  return new Sessions({ seal: new Seal(key, "session"), log: silentLog, heartbeat, ended });
}

test("finds a session by its id", () => {
  using sessions = start();
  const session = sessions.open(target, facts);
  expect(sessions.find(session.id, target, "local")).toBe(session);
  expect(sessions.count).toBe(1);
});

test("makes a session of an earlier process again, with all that its id tells", () => {
  using before = start();
  using after = start();
  const { id } = before.open(target, facts);
  const again = after.find(id, target, "local");
  expect(again?.session.facts).toEqual(facts);
  expect(after.find(id, target, "local")).toBe(again as never);
});

describe("does not find", () => {
  test.each(["live", "of an earlier process"])("a session of another target or principal (%s)", (where) => {
    using sessions = start();
    const { id } = sessions.open(target, facts);
    using asked = where === "live" ? sessions : start();
    expect(asked.find(id, new FakeTarget(undefined, "backend:other"), "local")).toBeUndefined();
    expect(asked.find(id, target, "somebody else")).toBeUndefined();
    expect(asked.find(id, target, "local")).toBeDefined();
  });

  test("an id that was changed, or signed with another key", () => {
    using sessions = start();
    using others = start(undefined, Buffer.alloc(32, 2));
    const { id } = sessions.open(target, facts);
    for (const wrong of [
      `${id}A`,
      id.slice(1),
      id.slice(0, -1),
      `A${id}`,
      "",
      "x",
      others.open(target, facts).id,
    ])
      expect(sessions.find(wrong, target, "local"), wrong).toBeUndefined();
  });

  test("a session that its client ended, neither now nor after a restart", async () => {
    const kept = new EndedSessions();
    using sessions = start(kept);
    const session = sessions.open(target, facts);
    const other = sessions.open(target, facts);
    await sessions.end(session);
    using restarted = start(kept);
    for (const asked of [sessions, restarted]) {
      expect(asked.find(session.id, target, "local")).toBeUndefined();
      expect(asked.find(`${session.id}=`, target, "local")).toBeUndefined();
      expect(asked.find(other.id, target, "local")).toBeDefined();
    }
  });
});

test("an ended session never goes on, however many others have ended since", async () => {
  const kept = new EndedSessions();
  using sessions = start(kept);
  const session = sessions.open(target, facts);
  const lives = sessions.open(target, facts);
  await sessions.end(session);
  setSystemTime(Date.now() + 1_000);
  for (let n = 0; n < 2 * MAX_ENDED; n++) await sessions.end(sessions.open(target, facts));
  const later = sessions.open(target, facts);
  using restarted = start(kept);
  for (const asked of [sessions, restarted]) expect(asked.find(session.id, target, "local")).toBeUndefined();
  // One in memory goes on, and so does one that is newer than all that was forgotten.
  expect(sessions.find(lives.id, target, "local")).toBe(lives);
  expect(restarted.find(later.id, target, "local")).toBeDefined();
});

test("a session that is opened after the clock was set back goes on after a restart", async () => {
  const kept = new EndedSessions({ issuedMs: new Map(), forgottenMs: Date.now() + 3_600_000 });
  using sessions = start(kept);
  using restarted = start(kept);
  expect(restarted.find(sessions.open(target, facts).id, target, "local")).toBeDefined();
});

test("two sessions of the same client have ids of their own", () => {
  using sessions = start();
  expect(sessions.open(target, facts).id).not.toBe(sessions.open(target, facts).id);
});

test("ending one ends what it still does", async () => {
  using sessions = start();
  const session = sessions.open(target, facts);
  const stuck = new FakeTarget(() => new Promise(() => {}));
  const busy = sessions.open(stuck, facts);
  void busy.post(request(1, "tools/call", { name: "work" }), true);
  const [call] = stuck.calls;
  expect(call?.signal.aborted).toBe(false);
  await sessions.end(busy);
  expect(call?.signal.aborted).toBe(true);
  expect(sessions.find(session.id, target, "local")).toBe(session);
});

describe("room", () => {
  test("is made by forgetting the least recently used; its id stays good", () => {
    using sessions = start();
    const all = Array.from({ length: MAX_SESSIONS }, () => sessions.open(target, facts));
    sessions.find(all[0]?.id ?? "", target, "local");
    sessions.open(target, facts);
    expect(sessions.count).toBe(MAX_SESSIONS);
    expect(sessions.find(all[0]?.id ?? "", target, "local")).toBe(all[0] as never);
    const forgotten = all[1];
    const again = sessions.find(forgotten?.id ?? "", target, "local");
    expect(again).toBeDefined();
    expect(again).not.toBe(forgotten as never);
    expect(sessions.count).toBe(MAX_SESSIONS);
  });

  test("is not made at the cost of one that is busy", () => {
    using sessions = start();
    const busy = sessions.open(target, facts);
    busy.get(null);
    for (let n = 0; n < MAX_SESSIONS; n++) sessions.open(target, facts);
    expect(sessions.find(busy.id, target, "local")).toBe(busy);
    expect(sessions.count).toBe(MAX_SESSIONS);
  });

  test("is made of sessions that nobody used for a day", () => {
    using sessions = start();
    const idle = sessions.open(target, facts);
    const used = sessions.open(target, facts);
    setSystemTime(Date.now() + DAY_MS - 60_000);
    sessions.find(used.id, target, "local");
    setSystemTime(Date.now() + 120_000);
    sessions.open(target, facts);
    expect(sessions.count).toBe(2);
    expect(sessions.find(used.id, target, "local")).toBe(used);
    expect(sessions.find(idle.id, target, "local")).not.toBe(idle);
  });
});

test("the sessions of a target that is gone are not found, and end with the disposal", () => {
  using sessions = start();
  const gone = sessions.open(target, facts);
  const other = new FakeTarget(undefined, "backend:other");
  const stays = sessions.open(other, facts);
  gone.session.listen();
  sessions.endAllOf(target.name)[Symbol.dispose]();
  expect(target.subscribers.size).toBe(0);
  expect(sessions.count).toBe(1);
  expect(sessions.find(stays.id, other, "local")).toBe(stays);
});
