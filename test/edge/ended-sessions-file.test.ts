// Ended sessions stay ended over a restart, whatever state the file is in.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEndedSessions } from "../../src/edge/ended-sessions-file.ts";
import { MAX_ENDED } from "../../src/edge/sessions.ts";
import { silentLog } from "../../src/log.ts";
import { recordLog } from "../support/log-recorder.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-ended-"));
  path = join(folder, "state", "ended-sessions");
});
afterEach(() => rmSync(folder, { recursive: true }));

const ISSUED_MS = 1_700_000_000_000;
const newId = () => `payload.${randomBytes(18).toString("base64url")}`;
const open = () => openEndedSessions(path, silentLog);

test("holds what was ended before a restart, and nothing else", async () => {
  const [ended, other] = [newId(), newId()];
  const before = open();
  expect(before.has(ended, ISSUED_MS)).toBe(false);
  await before.add(ended, ISSUED_MS);
  const after = open();
  expect([after.has(ended, ISSUED_MS), after.has(other, ISSUED_MS)]).toEqual([true, false]);
});

test("is on disk when the promise is kept, readable by its owner alone, and leaves no other file", async () => {
  const ended = open();
  await ended.add(newId(), ISSUED_MS);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "state"))).toEqual(["ended-sessions"]);
});

test("keeps no whole session id", async () => {
  const id = newId();
  const ended = open();
  await ended.add(id, ISSUED_MS);
  expect(readFileSync(path, "utf8")).not.toContain("payload");
});

test("takes many at once", async () => {
  const ids = Array.from({ length: 300 }, newId);
  const ended = open();
  await Promise.all(ids.map((id) => ended.add(id, ISSUED_MS)));
  const after = open();
  expect(ids.filter((id) => !after.has(id, ISSUED_MS))).toEqual([]);
});

test("keeps what another gateway ended in the meantime", async () => {
  const [one, two] = [open(), open()];
  const [first, second] = [newId(), newId()];
  await one.add(first, ISSUED_MS);
  await two.add(second, ISSUED_MS);
  const after = open();
  expect([after.has(first, ISSUED_MS), after.has(second, ISSUED_MS)]).toEqual([true, true]);
});

test("forgets those that were issued first beyond its bound, and none of them is good again", async () => {
  const ids = Array.from({ length: MAX_ENDED + 5 }, newId);
  const before = open();
  for (const [n, id] of ids.entries()) void before.add(id, ISSUED_MS + n);
  const last = newId();
  await before.add(last, ISSUED_MS + 1e6);
  for (const ended of [before, open()]) {
    expect(ended.record.issuedMs.size).toBeLessThanOrEqual(MAX_ENDED);
    expect(ids.filter((id, n) => !ended.has(id, ISSUED_MS + n))).toEqual([]);
    expect(ended.has(last, ISSUED_MS + 1e6)).toBe(true);
    // One that was not ended and is older than what is still told apart has to be opened anew; a newer one goes on.
    expect(ended.has(newId(), ISSUED_MS)).toBe(true);
    expect(ended.has(newId(), ISSUED_MS + MAX_ENDED)).toBe(false);
  }
});

describe("a file in a bad state", () => {
  test("is read as far as it makes sense", async () => {
    const id = newId();
    mkdirSync(join(folder, "state"));
    writeFileSync(
      path,
      `\0\xff broken\n${id.slice("payload.".length, "payload.".length + 8)} ${ISSUED_MS}\n{"json":1}\n\n${"x".repeat(1e6)}\nhalf`,
    );
    const ended = open();
    expect(ended.has(id, ISSUED_MS)).toBe(true);
    await ended.add(newId(), ISSUED_MS);
    expect(open().has(id, ISSUED_MS)).toBe(true);
  });

  test("that cannot be used costs a warning, and the session is ended all the same", async () => {
    writeFileSync(join(folder, "state"), "a file where the folder should be");
    const { log, lines } = recordLog();
    const ended = openEndedSessions(path, log);
    const id = newId();
    await ended.add(id, ISSUED_MS);
    expect(ended.has(id, ISSUED_MS)).toBe(true);
    expect(lines.map(({ level, path: named }) => [level, named])).toContainEqual(["WARNING", path]);
    // Nobody knows which others were ended.
    expect(ended.has(newId(), Date.now() - 1_000)).toBe(true);
  });
});
