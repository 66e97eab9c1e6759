// A large batch is taken in slices: counted by the turns that others have meanwhile, not timed.

import { expect, test } from "bun:test";
import { Heartbeat } from "../../src/edge/event-sink.ts";
import { LegacyEdge } from "../../src/edge/legacy.ts";
import { Seal } from "../../src/edge/seal.ts";
import { EndedSessions, Sessions } from "../../src/edge/sessions.ts";
import { silentLog } from "../../src/log.ts";
import { notification, request } from "../../src/protocol/jsonrpc.ts";
import { FakeTarget } from "./fake-target.ts";

const COUNT = 2_000;

test.each([
  ["requests", Array.from({ length: COUNT }, (_, id) => request(id, "ping"))],
  ["notifications", Array.from({ length: COUNT }, (_, id) => notification("notifications/x", { id }))],
])(
  "others have their turn within a batch of many %s, and it is answered whole and in order",
  async (_what, batch) => {
    using heartbeat = new Heartbeat();
    const seal = new Seal(Buffer.alloc(32, 1), "session");
    using sessions = new Sessions({ seal, log: silentLog, heartbeat, ended: new EndedSessions() });
    const target = new FakeTarget();
    const facts = { revision: "2025-03-26", capabilities: {}, principal: "local" };
    const headers = new Headers({ "mcp-session-id": sessions.open(target, facts).id });
    const edge = new LegacyEdge(sessions, silentLog);

    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const posted = { target, headers, revision: null, principal: "local", canStream: true };
    const response = await edge.postBatch(posted, batch);
    isOver = true;

    expect(turns).toBeGreaterThanOrEqual(COUNT / 100 - 1);
    const text = await response.text();
    const answers: { id: unknown }[] = text === "" ? [] : JSON.parse(text);
    expect(answers.map(({ id }) => id)).toEqual(
      batch.flatMap((message) => ("id" in message ? [message.id] : [])),
    );
  },
);
