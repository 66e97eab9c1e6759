// Every way in which a file comes to be another one, on a real file system.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileWatch, type FileWatchOptions } from "../../src/config/file-watch.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
let path: string;
let changes: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "file-watch-"));
  path = join(folder, "servers.yaml");
  changes = 0;
  writeFileSync(path, "one");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Polls so rarely that only the folder can have told. */
const UNPOLLED = { settleMs: 30, pollMs: 60_000 };

function follow(options: FileWatchOptions = UNPOLLED): FileWatch {
  const watch = new FileWatch(path, options);
  watch.start(() => {
    changes += 1;
  });
  return watch;
}

/** Exactly one more change, and none after it. */
async function expectOneChange(): Promise<void> {
  await waitFor(() => changes > 0, { what: "a change" });
  await Bun.sleep(150);
  expect(changes).toBe(1);
}

describe("a file is told of", () => {
  test("when it is written in place", async () => {
    using _watch = follow();
    writeFileSync(path, "two");
    await expectOneChange();
  });

  test("when another one takes its place, and then another", async () => {
    using _watch = follow();
    for (const text of ["two", "three"]) {
      changes = 0;
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      await expectOneChange();
    }
  });

  test("once, when it is emptied first and written bit by bit", async () => {
    using _watch = follow({ ...UNPOLLED, settleMs: 120 });
    truncateSync(path);
    for (const part of ["t", "w", "o"]) {
      appendFileSync(path, part);
      await Bun.sleep(20);
    }
    await expectOneChange();
  });

  test("when the link of a link is turned around, as Kubernetes does, time and again", async () => {
    rmSync(path);
    const put = (version: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "servers.yaml"), version);
      symlinkSync(version, join(folder, "..new"));
      renameSync(join(folder, "..new"), join(folder, "..data"));
    };
    put("..1");
    symlinkSync("..data/servers.yaml", path);
    using _watch = follow();
    for (const version of ["..2", "..3"]) {
      changes = 0;
      put(version);
      await expectOneChange();
    }
  });

  test("when it is a link and the file elsewhere is written", async () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    renameSync(path, join(elsewhere, "real.yaml"));
    symlinkSync(join(elsewhere, "real.yaml"), path);
    using _watch = follow();
    writeFileSync(join(elsewhere, "real.yaml"), "two");
    await expectOneChange();
  });

  test("when it goes, and when it comes back", async () => {
    using _watch = follow();
    rmSync(path);
    await expectOneChange();
    changes = 0;
    writeFileSync(path, "two");
    await expectOneChange();
  });

  test("by the poll where its folder is another one now", async () => {
    using _watch = follow({ settleMs: 10, pollMs: 50 });
    rmSync(folder, { recursive: true });
    await waitFor(() => changes > 0);
    mkdirSync(folder);
    changes = 0;
    writeFileSync(path, "two");
    await expectOneChange();
    changes = 0;
    writeFileSync(path, "three");
    await expectOneChange();
  });

  test("after a while although it is never left alone", async () => {
    using _watch = follow({ settleMs: 60, patienceMs: 200, pollMs: 60_000 });
    const untilMs = performance.now() + 600;
    while (performance.now() < untilMs) {
      appendFileSync(path, "x");
      await Bun.sleep(10);
    }
    expect(changes).toBeGreaterThan(0);
  });

  test("when it changed before anybody listened", async () => {
    using watch = new FileWatch(path, UNPOLLED);
    writeFileSync(path, "two");
    watch.start(() => {
      changes += 1;
    });
    await expectOneChange();
  });
});

describe("a file is not told of", () => {
  test("when its neighbours change", async () => {
    using _watch = follow();
    writeFileSync(join(folder, "other.yaml"), "x");
    writeFileSync(path, "two");
    await expectOneChange();
    writeFileSync(join(folder, "other.yaml"), "y");
    await Bun.sleep(150);
    expect(changes).toBe(1);
  });

  test("after the end", async () => {
    follow()[Symbol.dispose]();
    writeFileSync(path, "two");
    await Bun.sleep(150);
    expect(changes).toBe(0);
  });
});
