// Both kinds of pipes that a child can have: our own, and Bun's if we cannot make any (Windows).

import { describe, expect, test } from "bun:test";
import {
  type ChildInput,
  type ChildOutput,
  ChildPipes,
  SinkInput,
  StreamOutput,
} from "../../src/transport/child-pipes.ts";
import { waitFor } from "../support/wait-for.ts";

interface Started extends Disposable {
  readonly stdin: ChildInput;
  readonly stdout: ChildOutput;
  readonly exited: Promise<number>;
}

const KINDS = { "our pipes": startOnOurPipes, "Bun's pipes": startOnBunsPipes };
/** More than any pipe holds. */
const LARGE = `${"é".repeat(1_500_000)}\n`;

async function startOnOurPipes(...argv: string[]): Promise<Started> {
  const pipes = await ChildPipes.open();
  if (pipes === undefined) throw new Error("no pipes");
  const { stdin, stdout, stderr, theirs } = pipes;
  const child = Bun.spawn(argv, theirs);
  pipes.releaseTheirs();
  void stderr.drain(() => undefined);
  return { stdin, stdout, exited: child.exited, [Symbol.dispose]: () => child.kill("SIGKILL") };
}

async function startOnBunsPipes(...argv: string[]): Promise<Started> {
  const child = Bun.spawn(argv, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  return {
    stdin: new SinkInput(child.stdin),
    stdout: new StreamOutput(child.stdout),
    exited: child.exited,
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

function write(stdin: ChildInput, text: string): ReturnType<ChildInput["write"]> {
  return stdin.write(text, Buffer.byteLength(text));
}

async function readAll(stdout: ChildOutput): Promise<string> {
  const chunks: Uint8Array[] = [];
  await stdout.drain((bytes) => void chunks.push(bytes));
  return Buffer.concat(chunks).toString();
}

describe.each(Object.entries(KINDS))("%s", (_kind, start) => {
  test("carry a small text at once, and its end", async () => {
    using child = await start("cat");
    const read = readAll(child.stdout);
    expect(write(child.stdin, "one\n")).toBe("taken");
    child.stdin.end();
    expect(await read).toBe("one\n");
    expect(await child.exited).toBe(0);
  });

  test("carry what no pipe holds, whole and in order", async () => {
    using child = await start("cat");
    const read = readAll(child.stdout);
    await write(child.stdin, LARGE);
    await write(child.stdin, "last\n");
    child.stdin.end();
    expect((await read) === `${LARGE}last\n`).toBe(true);
  });

  test("bring the rest to a child that reads late, and then the end", async () => {
    using child = await start("sh", "-c", "sleep 0.2; exec wc -c");
    const read = readAll(child.stdout);
    const written = write(child.stdin, LARGE);
    expect(written).toBeInstanceOf(Promise);
    child.stdin.end();
    await written;
    expect((await read).trim()).toBe(String(Buffer.byteLength(LARGE)));
  });

  test("refuse a text for a child that reads no more", async () => {
    using child = await start("sh", "-c", "exec 0<&-; echo closed; sleep 1000");
    let said = "";
    void child.stdout.drain((bytes) => {
      said += Buffer.from(bytes).toString();
    });
    await waitFor(() => said === "closed\n", { what: "the close" });
    const outcome = await Promise.resolve(write(child.stdin, "one\n")).catch(() => "refused");
    expect(outcome).toBe("refused");
  });

  test("reject the rest of a text when the child goes", async () => {
    using child = await start("sleep", "1000");
    const written = write(child.stdin, LARGE);
    expect(written).toBeInstanceOf(Promise);
    child[Symbol.dispose]();
    expect(
      await Promise.resolve(written).then(
        () => "taken",
        () => "rejected",
      ),
    ).toBe("rejected");
  });

  test("are let go of although a grandchild holds them", async () => {
    using child = await start("sh", "-c", "sleep 1000 & echo $!; exit 0");
    let grandchild = "";
    const drained = child.stdout.drain((bytes) => {
      grandchild += Buffer.from(bytes).toString();
    });
    await child.exited;
    await waitFor(() => grandchild.endsWith("\n"), { what: "the grandchild" });
    child.stdin.close();
    await child.stdout.close();
    await drained;
    process.kill(Number(grandchild), "SIGKILL");
  });
});

test("a child opens our pipes by name, as it could in a terminal", async () => {
  const pipes = await ChildPipes.open();
  if (pipes === undefined) throw new Error("no pipes");
  const script = "cat < /dev/stdin > /dev/stdout; echo one > /dev/stderr; echo two > /proc/self/fd/2";
  const child = Bun.spawn(["bash", "-c", script], pipes.theirs);
  pipes.releaseTheirs();
  const both = Promise.all([readAll(pipes.stdout), readAll(pipes.stderr)]);
  write(pipes.stdin, "said\n");
  pipes.stdin.end();
  expect(await both).toEqual(["said\n", "one\ntwo\n"]);
  expect(await child.exited).toBe(0);
});

test.if(process.platform === "linux")("a child's ends of our pipes wait, as programs expect", async () => {
  const pipes = await ChildPipes.open();
  if (pipes === undefined) throw new Error("no pipes");
  const child = Bun.spawn(
    ["grep", "-h", "flags", "/proc/self/fdinfo/0", "/proc/self/fdinfo/1"],
    pipes.theirs,
  );
  pipes.releaseTheirs();
  const flags = (await readAll(pipes.stdout)).trim().split("\n");
  pipes.stdin.end();
  await child.exited;
  await pipes.stderr.close();
  const O_NONBLOCK = 0o4000;
  const isNonBlocking = (line: string) => (Number.parseInt(line.replace(/\D+/, ""), 8) & O_NONBLOCK) !== 0;
  expect(flags.map(isNonBlocking)).toEqual([false, false]);
});

test("a child that writes without a pause leaves others their turn", async () => {
  let chunks = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      chunks += 1;
      if (chunks > 100) controller.close();
      else controller.enqueue(new Uint8Array(64 * 1024));
    },
  });
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  let bytes = 0;
  await new StreamOutput(stream).drain((piece) => {
    bytes += piece.length;
    const untilMs = performance.now() + 1;
    while (performance.now() < untilMs);
  });
  isOver = true;
  expect(bytes).toBe(100 * 64 * 1024);
  expect(turns).toBeGreaterThan(5);
});

test.skipIf(process.platform !== "linux")(
  "a few pipes grow for a large message, and others after them",
  async () => {
    const megabyte = "x".repeat(1_000_000);
    const isTaken = (written: ReturnType<typeof write>) => {
      if (written instanceof Promise) written.catch(() => undefined);
      return written === "taken";
    };
    const children: Started[] = [];
    try {
      for (let count = 0; count < 20; count++) children.push(await startOnOurPipes("sleep", "1000"));
      const taken = children.filter(({ stdin }) => isTaken(write(stdin, megabyte))).length;
      expect(taken).toBeGreaterThan(0);
      expect(taken).toBeLessThan(children.length);
      for (const { stdin } of children) stdin.close();
      using later = await startOnOurPipes("sleep", "1000");
      expect(isTaken(write(later.stdin, megabyte))).toBe(true);
      later.stdin.close();
    } finally {
      for (const child of children) child[Symbol.dispose]();
    }
  },
);
