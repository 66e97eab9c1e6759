// Children of gateways that were killed: ended by the next one that starts, and nobody else's ever. Real processes.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/log.ts";
import { ChildLedger } from "../../src/ops/child-ledger.ts";
import { holdChild, releaseChild } from "../../src/transport/held-children.ts";
import { MARK } from "../../src/transport/marked-processes.ts";
import { placeOfProcesses, startOf } from "../../src/transport/process-identity.ts";
import { groupMembers, isRunning } from "../support/process-table.ts";
import { waitFor } from "../support/wait-for.ts";

let folder: string;
const started: Bun.Subprocess[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "child-ledger-")), "children");
});
afterEach(() => {
  for (const child of started.splice(0)) {
    releaseChild(child);
    kill(-child.pid);
  }
  rmSync(join(folder, ".."), { recursive: true });
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function spawn(script: string, mark: string): Bun.Subprocess {
  const child = Bun.spawn(["/bin/sh", "-c", script], { detached: true, env: { [MARK]: mark } });
  started.push(child);
  return child;
}

/** A sleeper that leads its own group, with others in it. */
async function startGroup(mark = "none"): Promise<Bun.Subprocess> {
  const child = spawn("sleep 600 & sleep 600 & wait", mark);
  await waitFor(() => groupMembers(child.pid).length === 3);
  return child;
}

/** A group whose leader has ended. */
async function startLeaderless(mark: string): Promise<number> {
  // Not `sleep`, which hides its environment on macOS.
  const sleeper = `"${process.execPath}" -e "setInterval(() => {}, 60_000)"`;
  const child = spawn(`${sleeper} & ${sleeper} &`, mark);
  await child.exited;
  await waitFor(() => groupMembers(child.pid).filter(({ command }) => command.includes(" -e ")).length === 2);
  return child.pid;
}

async function holdGroup(): Promise<{ child: Bun.Subprocess; mark: string }> {
  let mark = "";
  const child = holdChild((given) => {
    mark = given;
    return spawn("sleep 600 & sleep 600 & wait", mark);
  });
  await waitFor(() => groupMembers(child.pid).length === 3);
  return { child, mark };
}

const GONE = { pid: 4_194_303, start: "1" };

/** What a gateway would have written that is gone by now. */
function writePage(
  children: readonly { mark?: string; pid?: number; start?: string | undefined; keepsDetached?: boolean }[],
  rest: object = {},
): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "4194303-1.json");
  const marked = children.map((child) => ({ mark: "of nobody", ...child }));
  writeFileSync(path, JSON.stringify({ ...placeOfProcesses(), gateway: GONE, children: marked, ...rest }));
  return path;
}

async function sweep(): Promise<void> {
  await using _ledger = new ChildLedger(folder, silentLog);
}

describe("what is written down", () => {
  test("is every child that runs, with its start, and nothing when there is none", async () => {
    await using _ledger = new ChildLedger(folder, silentLog);
    expect(existsSync(folder)).toBe(false);
    const all = [await holdGroup(), await holdGroup()] as const;
    const [one, two] = all;
    const [name = ""] = readdirSync(folder);
    expect(name).toStartWith(`${process.pid}-`);
    const page = JSON.parse(readFileSync(join(folder, name), "utf8"));
    expect(page).toEqual({
      ...placeOfProcesses(),
      gateway: { pid: process.pid, start: startOf(process.pid) },
      children: all.map(({ child: { pid }, mark }) => ({ pid, start: startOf(pid), mark })),
    });
    releaseChild(one.child);
    expect(JSON.parse(readFileSync(join(folder, name), "utf8")).children).toHaveLength(1);
    // Left by a full disk.
    writeFileSync(join(folder, `${name}.new`), "");
    releaseChild(two.child);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is a child before it is started, and one that could not be started no longer", async () => {
    await using _ledger = new ChildLedger(folder, silentLog);
    const written: unknown[] = [];
    const start = (mark: string): never => {
      for (const name of readdirSync(folder))
        written.push(JSON.parse(readFileSync(join(folder, name), "utf8")));
      throw new Error(mark);
    };
    expect(() => holdChild(start)).toThrow();
    expect(written).toMatchObject([{ children: [{ mark: expect.any(String) }] }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("by two gateways of one process and one folder is the same, whichever ends first", async () => {
    const first = new ChildLedger(folder, silentLog);
    await using _second = new ChildLedger(folder, silentLog);
    await holdGroup();
    await first[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toHaveLength(1);
    await holdGroup();
    const [name = ""] = readdirSync(folder);
    expect(JSON.parse(readFileSync(join(folder, name), "utf8")).children).toHaveLength(2);
  });

  test("is told to be missing, once, where the folder cannot be written", async () => {
    writeFileSync(folder, "a file where the folder should be");
    const warnings: string[] = [];
    const log = { ...silentLog, warning: (message: string) => void warnings.push(message) };
    await using _ledger = new ChildLedger(folder, log);
    await holdGroup();
    await holdGroup();
    expect(warnings).toEqual([expect.stringContaining("may outlive it")]);
  });
});

describe("a child of a gateway that is gone", () => {
  test("is ended with its group, and its page goes", async () => {
    const { pid } = await startGroup();
    const path = writePage([{ pid, start: startOf(pid) }]);
    await sweep();
    expect(groupMembers(pid)).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test("is ended although it does not heed SIGTERM", async () => {
    const child = Bun.spawn(["/bin/sh", "-c", "trap '' TERM; while :; do sleep 600; done"], {
      detached: true,
    });
    started.push(child);
    await waitFor(() => groupMembers(child.pid).length === 2);
    writePage([{ pid: child.pid, start: startOf(child.pid) }]);
    await sweep();
    expect(groupMembers(child.pid)).toEqual([]);
  });
});

describe("what a child of a gateway that is gone has started", () => {
  test("is ended although the child itself is gone", async () => {
    const mark = crypto.randomUUID();
    const pid = await startLeaderless(mark);
    const path = writePage([{ pid, start: "12345", mark }]);
    await sweep();
    expect(groupMembers(pid)).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test("is ended although the child was gone before its start could be written down", async () => {
    const mark = crypto.randomUUID();
    const pid = await startLeaderless(mark);
    writePage([{ pid, mark }]);
    await sweep();
    expect(groupMembers(pid)).toEqual([]);
  });

  test("is ended with the child, where not even its number was written down", async () => {
    const mark = crypto.randomUUID();
    const { pid } = await startGroup(mark);
    writePage([{ mark }]);
    await sweep();
    expect(groupMembers(pid)).toEqual([]);
  });

  test("is ended where the gateway was killed while it was starting the child", async () => {
    const program = join(import.meta.dir, "../support/dies-while-starting.ts");
    const gateway = Bun.spawn([process.execPath, program, folder], { stdout: "pipe" });
    const pid = Number(await gateway.stdout.text());
    await gateway.exited;
    using _last = { [Symbol.dispose]: () => kill(pid) };
    expect(isRunning(pid)).toBe(true);
    await sweep();
    expect(isRunning(pid)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    [false, 0],
    [true, 3],
  ])(
    "in a group of its own ends too, or is kept (%p), as when a child is ended in peace",
    async (keepsDetached, left) => {
      const mark = crypto.randomUUID();
      const [child, daemon] = [await startGroup(mark), await startGroup(mark)];
      writePage([{ pid: child.pid, start: startOf(child.pid), mark, keepsDetached }]);
      await sweep();
      expect(groupMembers(child.pid)).toEqual([]);
      expect(groupMembers(daemon.pid)).toHaveLength(left);
    },
  );
});

describe("nothing is ended", () => {
  test("where the group of that number is another's by now, its leader gone or not", async () => {
    const pids = [await startLeaderless("another's"), (await startGroup("another's")).pid];
    for (const start of ["12345", undefined]) {
      writePage(pids.map((pid) => ({ pid, start, mark: crypto.randomUUID() })));
      await sweep();
    }
    expect(pids.map((pid) => groupMembers(pid).length)).toEqual([2, 3]);
  });

  test("where we are part of what the child has started", async () => {
    const mark = crypto.randomUUID();
    const { pid } = await startGroup(mark);
    writePage([{ pid, start: startOf(pid), mark }]);
    process.env[MARK] = mark;
    await sweep();
    delete process.env[MARK];
    expect(groupMembers(pid)).toHaveLength(3);
  });

  test("where the number is another process's by now", async () => {
    const { pid } = await startGroup();
    const path = writePage([{ pid, start: "12345" }]);
    await sweep();
    expect(groupMembers(pid)).toHaveLength(3);
    expect(existsSync(path)).toBe(false);
  });

  test("where the gateway is alive", async () => {
    const { pid } = await startGroup();
    const gateway = await startGroup();
    const alive = { pid: gateway.pid, start: startOf(gateway.pid) };
    const path = writePage([{ pid, start: startOf(pid) }], { gateway: alive });
    await sweep();
    expect(groupMembers(pid)).toHaveLength(3);
    expect(existsSync(path)).toBe(true);
  });

  test("where it was written before the machine was started again, or in another container", async () => {
    const { pid } = await startGroup();
    const children = [{ pid, start: startOf(pid) }];
    const before = writePage(children, { boot: "another", namespace: "another" });
    await sweep();
    expect(existsSync(before)).toBe(false);
    const elsewhere = writePage(children, { namespace: "another" });
    await sweep();
    expect(existsSync(elsewhere)).toBe(true);
    expect(isRunning(pid)).toBe(true);
  });

  test("by a page that is no page of ours", async () => {
    mkdirSync(folder);
    for (const text of ["", "{", "[]", '{"children":[{"pid":1,"start":"1"}]}'])
      writeFileSync(join(folder, `${Bun.hash(text)}.json`), text);
    await sweep();
    expect(readdirSync(folder)).toEqual([]);
  });
});
