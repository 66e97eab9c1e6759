// The words must agree with each other, and with an independent reading of the specification: the official SDK.

import { describe, expect, test } from "bun:test";
import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/sdk/types.js";
import {
  CACHEABLE,
  CAPABILITY_FOR,
  CLIENT_METHODS,
  ENVELOPE_KEYS,
  isKnownLegacy,
  isKnownModern,
  isModern,
  LATEST_LEGACY,
  LATEST_MODERN,
  LEGACY_ONLY,
  LEGACY_REVISIONS,
  LIST_KEY,
  MAY_ASK_BACK,
  META,
  Method,
  MODERN_ONLY,
  MODERN_REVISIONS,
  NAMED_BY,
  Notice,
  SERVER_METHODS,
  STALE_AFTER,
} from "../../src/protocol/mcp.ts";

describe("revisions", () => {
  test("are ordered newest first and agree with the official SDK", () => {
    expect([...LEGACY_REVISIONS]).toEqual([...LEGACY_REVISIONS].sort().reverse());
    expect([...MODERN_REVISIONS]).toEqual([...MODERN_REVISIONS].sort().reverse());
    expect(String(LATEST_LEGACY)).toBe(LATEST_PROTOCOL_VERSION);
    for (const revision of LEGACY_REVISIONS) expect(SUPPORTED_PROTOCOL_VERSIONS).toContain(revision);
  });

  test("isModern is a matter of date, known or not; what is no date is not modern", () => {
    for (const revision of MODERN_REVISIONS) expect(isModern(revision)).toBe(true);
    for (const revision of LEGACY_REVISIONS) expect(isModern(revision)).toBe(false);
    expect(isModern("2027-01-01")).toBe(true);
    expect(isModern("2026-07-27")).toBe(false);
    for (const nonsense of ["", "draft", "DRAFT-2026", "9999", "2026-07-28x", "2026-07-28\n"]) {
      expect(isModern(nonsense)).toBe(false);
    }
  });

  test("known means on our list, not merely later", () => {
    expect(isKnownModern(LATEST_MODERN)).toBe(true);
    expect(isKnownModern("2027-01-01")).toBe(false);
    expect(isKnownLegacy("2025-03-26")).toBe(true);
    expect(isKnownLegacy("2024-10-07")).toBe(false);
    expect(isKnownLegacy(LATEST_MODERN)).toBe(false);
  });
});

describe("method sets", () => {
  const words = new Set<string>([...Object.values(Method), ...Object.values(Notice)]);

  test("no method belongs to one era only and to the other only", () => {
    expect([...LEGACY_ONLY].filter((method) => MODERN_ONLY.has(method))).toEqual([]);
    expect([...CACHEABLE, ...MAY_ASK_BACK].filter((method) => LEGACY_ONLY.has(method))).toEqual([]);
  });

  test("every request is asked of a server or of a client, never both", () => {
    const asked = [...SERVER_METHODS, ...CLIENT_METHODS];
    expect(asked.toSorted()).toEqual(Object.values<string>(Method).toSorted());
    expect(new Set(asked).size).toBe(asked.length);
  });

  test("tables speak only of words that exist", () => {
    const used = [LEGACY_ONLY, MODERN_ONLY, CACHEABLE, MAY_ASK_BACK].flatMap((set) => [...set]);
    used.push(...LIST_KEY.keys(), ...NAMED_BY.keys(), ...STALE_AFTER.keys());
    used.push(...[...STALE_AFTER.values()].flat());
    expect(used.filter((word) => !words.has(word))).toEqual([]);
    for (const notice of Object.values(Notice)) expect(notice).toStartWith("notifications/");
    for (const method of Object.values(Method)) expect(method).not.toStartWith("notifications/");
  });

  test("every question to a client has the capability that it needs", () => {
    expect([...CAPABILITY_FOR.keys()].toSorted()).toEqual([...CLIENT_METHODS].toSorted());
  });

  test("the envelope is the four reserved request keys, without the caller's progress token", () => {
    expect(ENVELOPE_KEYS).toHaveLength(4);
    for (const key of ENVELOPE_KEYS) expect(key).toStartWith("io.modelcontextprotocol/");
    expect(ENVELOPE_KEYS).not.toContain(META.progressToken);
  });
});
