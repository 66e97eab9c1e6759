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

const newId = () => `payload.${randomBytes(18).toString("base64url")}`;
const open = () => openEndedSessions(path, silentLog);

test("holds what was ended before a restart, and nothing else", async () => {
  const [ended, other] = [newId(), newId()];
  const before = open();
  expect(before.has(ended)).toBe(false);
  await before.add(ended);
  const after = open();
  expect([after.has(ended), after.has(other)]).toEqual([true, false]);
});

test("is on disk when the promise is kept, readable by its owner alone, and leaves no other file", async () => {
  const ended = open();
  await ended.add(newId());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "state"))).toEqual(["ended-sessions"]);
});

test("keeps no whole session id", async () => {
  const id = newId();
  const ended = open();
  await ended.add(id);
  expect(readFileSync(path, "utf8")).not.toContain("payload");
});

test("takes many at once", async () => {
  const ids = Array.from({ length: 300 }, newId);
  const ended = open();
  await Promise.all(ids.map((id) => ended.add(id)));
  const after = open();
  expect(ids.filter((id) => !after.has(id))).toEqual([]);
});

test("keeps what another gateway ended in the meantime", async () => {
  const [one, two] = [open(), open()];
  const [first, second] = [newId(), newId()];
  await one.add(first);
  await two.add(second);
  const after = open();
  expect([after.has(first), after.has(second)]).toEqual([true, true]);
});

test("forgets the oldest beyond its bound", async () => {
  const ids = Array.from({ length: MAX_ENDED + 5 }, newId);
  mkdirSync(join(folder, "state"));
  writeFileSync(path, ids.map((id) => `${id.slice("payload.".length)}\n`).join(""));
  const ended = open();
  const last = newId();
  await ended.add(last);
  const after = open();
  expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(MAX_ENDED);
  expect([ids[0], ids.at(-1), last].map((id) => after.has(id ?? ""))).toEqual([false, true, true]);
});

describe("a file in a bad state", () => {
  test("is read as far as it makes sense", async () => {
    const id = newId();
    mkdirSync(join(folder, "state"));
    writeFileSync(
      path,
      `\0\xff broken\n${id.slice("payload.".length)}\n{"json":1}\n\n${"x".repeat(1e6)}\nhalf`,
    );
    const ended = open();
    expect(ended.has(id)).toBe(true);
    await ended.add(newId());
    expect(open().has(id)).toBe(true);
  });

  test("that cannot be used costs a warning, and the session is ended all the same", async () => {
    writeFileSync(join(folder, "state"), "a file where the folder should be");
    const { log, lines } = recordLog();
    const ended = openEndedSessions(path, log);
    const id = newId();
    await ended.add(id);
    expect(ended.has(id)).toBe(true);
    expect(lines.map(({ level, path: named }) => [level, named])).toContainEqual(["WARNING", path]);
  });
});
