// Every file that the gateway reads, replaced by what is no small regular file: nothing blocks and nothing is read.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CatalogFile } from "../src/backend/catalog-file.ts";
import { loadConfig } from "../src/config/load.ts";
import { openEndedSessions } from "../src/edge/ended-sessions-file.ts";
import { loadSessionKey } from "../src/edge/session-key.ts";
import { silentLog } from "../src/log.ts";
import { ChildLedger } from "../src/ops/child-ledger.ts";
import { readSmallText } from "../src/small-file.ts";
import { holdChild, releaseChild } from "../src/transport/held-children.ts";
import { MARK } from "../src/transport/marked-processes.ts";
import { startOf } from "../src/transport/process-identity.ts";
import { configOf } from "./backend/rig.ts";
import { recordLog } from "./support/log-recorder.ts";
import { UNFIT_FILES } from "./support/unfit-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "small-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a small file", () => {
  test("is read up to its bound and not a byte beyond", () => {
    const path = join(folder, "a");
    writeFileSync(path, "x".repeat(100));
    expect(readSmallText(path, 100)).toBe("x".repeat(100));
    expect(() => readSmallText(path, 99)).toThrow("it is larger than");
    writeFileSync(path, "");
    expect(readSmallText(path, 0)).toBe("");
  });

  test("is read through a link, and where its size is not known", () => {
    symlinkSync("/proc/self/status", join(folder, "link"));
    expect(readSmallText(join(folder, "link"), 64 * 1024)).toContain("VmRSS");
  });
});

describe.each(UNFIT_FILES)("$what in the place of", ({ why, put }) => {
  test("a small file is refused", () => {
    const path = join(folder, "a");
    put(path);
    expect(() => readSmallText(path, 1024)).toThrow(why);
  });

  test("the configuration is an error that says why", () => {
    const path = join(folder, "servers.yaml");
    put(path);
    expect(() => loadConfig(path)).toThrow(why);
  });

  test("the session key is an error", async () => {
    const path = join(folder, "key");
    put(path);
    await expect(loadSessionKey(path)).rejects.toThrow(why);
  });

  test("the ended sessions costs a warning, and they can be written again", async () => {
    const path = join(folder, "state", "ended");
    mkdirSync(join(folder, "state"));
    put(path);
    const { log, lines } = recordLog();
    const ended = openEndedSessions(path, log);
    expect(ended.record.issuedMs.size).toBe(0);
    expect(JSON.stringify(lines)).toMatch(why);
    await ended.add("abcdefgh.12345678abcdefgh", 1);
    expect(ended.has("abcdefgh.12345678abcdefgh", 1)).toBeTrue();
    // Any session of before may have been ended.
    expect(ended.has("abcdefgh.87654321abcdefgh", Date.now() - 1_000)).toBeTrue();
  });

  test("a catalogue costs a warning", async () => {
    const { log, lines } = recordLog();
    await using file = new CatalogFile(folder, configOf("it", { command: "x" }), log);
    mkdirSync(join(file.path, ".."), { recursive: true });
    put(file.path);
    expect(file.read()).toBeUndefined();
    expect(JSON.stringify(lines)).toMatch(why);
  });

  test("a page of the child ledger ends no start", async () => {
    put(join(folder, "1-1.json"));
    await using ledger = new ChildLedger(folder, silentLog);
    expect(ledger).toBeDefined();
  });
});

test("a FIFO under the name of the unfinished page does not block the child ledger", async () => {
  await using ledger = new ChildLedger(folder, silentLog);
  const page = join(folder, `${process.pid}-${startOf(process.pid)?.replaceAll(/[^\w]+/g, "-")}.json`);
  expect(Bun.spawnSync(["mkfifo", `${page}.new`]).exitCode).toBe(0);
  const child = holdChild((mark) => Bun.spawn(["sleep", "600"], { env: { [MARK]: mark } }));
  expect(readFileSync(page, "utf8")).toContain(String(child.pid));
  releaseChild(child);
  child.kill("SIGKILL");
  await child.exited;
  expect(existsSync(page)).toBeFalse();
  expect(ledger).toBeDefined();
});
