// A session id tells all that a gateway must know of the session, and fits into a header whatever the client is called.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { SessionFacts } from "../../src/edge/legacy-session.ts";
import { Seal } from "../../src/edge/seal.ts";
import * as ids from "../../src/edge/session-ids.ts";
import { isObject } from "../../src/protocol/jsonrpc.ts";
import { canAnswer } from "../../src/protocol/questions.ts";

const seal = new Seal(Buffer.alloc(32, 3), "session");
const ISSUED_MS = 1_800_000_000_000;
const mintSessionId = (seal: Seal, target: string, facts: SessionFacts) =>
  ids.mintSessionId(seal, target, { facts, issuedAtMs: ISSUED_MS });
const readSessionId = (seal: Seal, target: string, id: string) => ids.readSessionId(seal, target, id)?.facts;
const facts = { revision: "2025-11-25", capabilities: {}, principal: "local" };

test("gives back revision, client and principal", () => {
  const all = { ...facts, clientInfo: { name: "claude-code", version: "2.1" } };
  expect(readSessionId(seal, "meta", mintSessionId(seal, "meta", all))).toEqual(all);
});

test("leaves out of the client what is no name and version", () => {
  const read = (clientInfo: Record<string, unknown>) =>
    readSessionId(seal, "meta", mintSessionId(seal, "meta", { ...facts, clientInfo }))?.clientInfo;
  expect(read({ name: "a", version: "1", icons: ["large"] })).toEqual({ name: "a", version: "1" });
  expect(read({ name: "a" })).toBeUndefined();
  expect(read({ name: 5, version: "1" })).toBeUndefined();
});

test("is for one target", () => {
  const id = mintSessionId(seal, "backend:one", facts);
  expect(readSessionId(seal, "backend:two", id)).toBeUndefined();
  expect(readSessionId(seal, "backend:one", id)).toEqual(facts);
});

test("is no other sealed payload", () => {
  for (const payload of [null, 5, {}, { t: "meta" }, { n: "x", t: "meta", v: 1, c: {}, p: "local" }])
    expect(readSessionId(seal, "meta", seal.close(payload))).toBeUndefined();
});

test("fits into a header, and stays readable, whatever the client declares", () => {
  const clients = fc.record({
    clientInfo: fc.record({ name: fc.string({ maxLength: 500 }), version: fc.string({ maxLength: 500 }) }),
    capabilities: fc.dictionary(fc.constantFrom("roots", "sampling", "elicitation", "x"), fc.object()),
  });
  fc.assert(
    fc.property(clients, (client) => {
      const id = mintSessionId(seal, "meta", { ...facts, ...client });
      expect(id).toMatch(/^[\x21-\x7e]{1,2000}$/);
      expect(readSessionId(seal, "meta", id)).toMatchObject({ revision: "2025-11-25", principal: "local" });
    }),
  );
});

describe("what the client can be asked is the same after a restart", () => {
  const questions = [
    { method: "roots/list" },
    { method: "sampling/createMessage", params: {} },
    { method: "sampling/createMessage", params: { tools: [] } },
    { method: "elicitation/create", params: { message: "", requestedSchema: {} } },
    { method: "elicitation/create", params: { mode: "url", url: "https://example.com" } },
  ];

  test.each([
    {},
    { roots: {} },
    { roots: { listChanged: true } },
    { sampling: {} },
    { sampling: { tools: {}, context: {}, more: { deep: 1 } } },
    { elicitation: {} },
    { elicitation: { form: {} } },
    { elicitation: { url: {} } },
    { elicitation: { form: {}, url: {} }, roots: {}, sampling: { tools: {} }, experimental: { x: {} } },
    { roots: true, sampling: null, elicitation: [] },
  ])("%j", (capabilities: Record<string, unknown>) => {
    const read = readSessionId(seal, "meta", mintSessionId(seal, "meta", { ...facts, capabilities }));
    const caller = { era: "legacy", revision: "2025-11-25", principal: "local", key: "x" } as const;
    for (const question of questions) {
      const before = canAnswer({ ...caller, capabilities }, question);
      const after = canAnswer({ ...caller, capabilities: read?.capabilities ?? {} }, question);
      expect(after, question.method).toBe(before);
    }
    expect(isObject(read?.capabilities.roots)).toBe(isObject(capabilities.roots));
  });
});

test("tells when it was issued", () => {
  const id = mintSessionId(seal, "meta", facts);
  expect(ids.readSessionId(seal, "meta", id)?.issuedAtMs).toBe(ISSUED_MS);
});
