// What comes and goes over the pipes of real child processes, most of which misbehave.

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { registerSecret } from "../../src/shown.ts";
import { SendError, StartError } from "../../src/transport/transport.ts";
import { fixture } from "../support/fixture.ts";
import { recordLog } from "../support/log-recorder.ts";
import { StdioWire, textOf } from "../support/stdio-wire.ts";
import { waitFor } from "../support/wait-for.ts";

describe("messages", () => {
  test("go down and come up", async () => {
    await using wire = await StdioWire.start(fixture("healthy"));
    const response = await wire.request("initialize", { protocolVersion: "2025-06-18" });
    expect(response).toMatchObject({ id: 1, result: { protocolVersion: "2025-06-18" } });
    expect(wire.incoming[0]?.origin).toBeUndefined();
    expect(await wire.call("echo", { text: "line\nbreak, Grüße, 🎉, \u2028" })).toBe(
      "line\nbreak, Grüße, 🎉, \u2028",
    );
  });

  test("of two directions do not wait for each other", async () => {
    await using wire = await StdioWire.start(fixture("healthy"));
    const slow = wire.call("slow", { ms: 400, text: "slow" });
    expect(await wire.call("echo", { text: "quick" })).toBe("quick");
    expect(wire.messages).toHaveLength(1);
    expect(await slow).toBe("slow");
  });

  test("sent in one turn arrive all, in order", async () => {
    await using wire = await StdioWire.start(["cat"]);
    const count = 5_000;
    const sends = Array.from({ length: count }, (_, id) =>
      wire.transport.send({ jsonrpc: "2.0", id, method: "ping" }),
    );
    await Promise.all(sends);
    await waitFor(() => wire.messages.length === count, { what: "all the echoes" });
    expect(wire.messages.map((message) => "id" in message && message.id)).toEqual([...Array(count).keys()]);
  });

  test("with a request of the server reach the client's side as requests", async () => {
    await using wire = await StdioWire.start(fixture("asks-client"));
    await wire.ask("tools/call", { name: "ask", arguments: { method: "roots/list" } });
    const question = await waitFor(() => wire.messages.find((message) => "method" in message));
    expect(question).toMatchObject({ method: "roots/list", id: "asked-1" });
    await wire.transport.send({ jsonrpc: "2.0", id: "asked-1", result: { roots: [] } });
    const [answer] = await waitFor(() => wire.responses(1).length > 0 && wire.responses(1));
    if (answer === undefined) throw new Error("no answer");
    expect(JSON.parse(textOf(answer))).toEqual({ jsonrpc: "2.0", id: "asked-1", result: { roots: [] } });
  });

  test("of 20 MB pass both ways", async () => {
    await using wire = await StdioWire.start(fixture("healthy"));
    const text = "é".repeat(10_000_000);
    expect((await wire.call("echo", { text })) === text).toBe(true);
    expect((await wire.call("big", { bytes: 20_000_000 })).length).toBe(20_000_000);
  });
});

describe("a server that misbehaves on stdout", () => {
  test.each(["banner", "writes-garbage", "splits-characters", "sends-batches", "stderr-flood"])(
    "%s: its answers arrive all the same",
    async (name) => {
      const { log, lines } = recordLog();
      await using wire = await StdioWire.start(fixture(name), { log });
      expect(await wire.request("initialize")).toHaveProperty("result");
      const texts = ["Grüße 🎉", "zweite", "третий"];
      expect(await Promise.all(texts.map((text) => wire.call("echo", { text })))).toEqual(texts);
      expect(wire.ends).toEqual([]);
      const warnings = lines.filter((line) => line.level === "WARNING");
      expect(warnings.length > 0).toBe(name === "banner" || name === "writes-garbage");
      for (const warning of warnings) expect(warning).toMatchObject({ backend: "fixture", pid: wire.pid });
    },
  );

  test("answers out of order, one late, twice or to nobody keep their ids", async () => {
    await using reversed = await StdioWire.start(fixture("answers-out-of-order", "3"));
    const texts = ["a", "b", "c"];
    expect(await Promise.all(texts.map((text) => reversed.call("echo", { text })))).toEqual(texts);
    expect(reversed.messages.map((message) => "id" in message && message.id)).toEqual([3, 2, 1]);

    await using late = await StdioWire.start(fixture("answers-one-late"));
    const first = await late.ask("tools/call", { name: "echo", arguments: { text: "first" } });
    await late.ask("tools/call", { name: "echo", arguments: { text: "second" } });
    const [answer] = await waitFor(() => late.messages.length > 0 && late.messages);
    expect(answer).toMatchObject({ id: first, result: { content: [{ text: "first" }] } });

    await using twice = await StdioWire.start(fixture("answers-twice"));
    expect(await twice.call("echo", { text: "again" })).toBe("again");
    await waitFor(() => twice.responses(1).length === 2, { what: "the second copy" });

    await using unknown = await StdioWire.start(fixture("answers-unknown-id"));
    expect(await unknown.call("echo", { text: "mine" })).toBe("mine");
    expect(unknown.responses("1")).toHaveLength(1);
  });

  test("300 KB of stderr in one go do not block it", async () => {
    await using wire = await StdioWire.start(fixture("stderr-flood", "5000000"));
    expect(await wire.call("echo", { text: "after 5 MB" })).toBe("after 5 MB");
  });
});

describe("a message over the cap", () => {
  const limits = { messageBytes: 100_000 };

  test("fails the one call that it answers", async () => {
    const { log, lines } = recordLog();
    await using wire = await StdioWire.start(fixture("healthy"), { limits, log });
    const id = await wire.ask("tools/call", { name: "big", arguments: { bytes: 3_000_000 } });
    const error = await waitFor(() => wire.lost.get(id));
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({ maybeDelivered: true });
    expect(error.message).toContain("2.9 MiB");
    expect(lines.find((line) => line.level === "WARNING")).toMatchObject({ backend: "fixture", id });
    expect(await wire.call("echo", { text: "still here" })).toBe("still here");
  });

  test("ends the wire where nobody can say what it answers", async () => {
    const argv = ["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x; echo; exec cat"];
    await using wire = await StdioWire.start(argv, { limits });
    expect((await wire.ended()).reason).toContain("over the limit");
  });
});

describe("the end of a child", () => {
  /** Graces that nobody waits for here. */
  const patient = { exitGraceMs: 15_000, killGraceMs: 15_000 };

  test("mid-call is told at once, with exit code and last words", async () => {
    await using wire = await StdioWire.start(fixture("healthy"), { limits: patient });
    await wire.request("initialize");
    const startedAt = performance.now();
    await wire.ask("tools/call", { name: "crash", arguments: { code: 3, text: "fatal: no space left" } });
    const end = await wire.ended();
    expect(end).toEqual({
      reason: "the process ended with exit code 3",
      permanent: false,
      lastWords: ["fatal: no space left"],
    });
    expect(performance.now() - startedAt).toBeLessThan(patient.exitGraceMs);
  });

  test("at once is an end and no failed start", async () => {
    await using wire = await StdioWire.start(fixture("exits-at-once", "7"));
    expect(await wire.ended()).toMatchObject({
      reason: "the process ended with exit code 7",
      lastWords: ["error: API_KEY is not set"],
    });
  });

  test.each(["echo gone >&2", "echo gone"])(
    "however fast gives its last words to each send: %s",
    async (say) => {
      const end = { reason: "the process ended with exit code 3", lastWords: ["gone"] };
      for (let turn = 0; turn < 20; turn++) {
        await using wire = await StdioWire.start(["sh", "-c", `${say}; exit 3`]);
        const sent = wire.transport.send({ jsonrpc: "2.0", id: 1, method: "initialize" });
        const thrown: unknown = await sent.catch((error: unknown) => error);
        expect(await wire.ended()).toMatchObject(end);
        if (thrown instanceof SendError) expect(thrown.end).toMatchObject(end);
        const late: unknown = await wire.transport
          .send({ jsonrpc: "2.0", method: "late" })
          .catch((error: unknown) => error);
        expect(late).toMatchObject({ end });
      }
    },
  );

  test("by a signal names the signal", async () => {
    await using wire = await StdioWire.start(fixture("healthy"));
    await wire.request("initialize");
    process.kill(wire.pid, "SIGKILL");
    expect((await wire.ended()).reason).toBe("the process was ended by signal SIGKILL");
  });

  test("tells what stdout said before the first message, and no piece of a later answer", async () => {
    const answer = '{"jsonrpc":"2.0","id":1,"result":{}}';
    const script = `echo port 80 is taken; echo '${answer}'; echo '"text":"of another client"}]}}'; exit 4`;
    await using wire = await StdioWire.start(["sh", "-c", script]);
    expect((await wire.ended()).lastWords).toEqual(["port 80 is taken"]);
    expect(wire.responses(1)).toHaveLength(1);
  });

  test("does not lose the answer that came before it", async () => {
    await using wire = await StdioWire.start(fixture("answers-then-exits"));
    const id = await wire.ask("tools/call", { name: "last" });
    expect((await wire.ended()).reason).toBe("the process ended with exit code 0");
    expect(wire.responses(id)).toHaveLength(1);
  });

  test("is not held up by a grandchild that holds the pipes", async () => {
    const argv = [
      "sh",
      "-c",
      'sleep 1000 & echo \'{"jsonrpc":"2.0","id":1,"result":{}}\'; printf gone >&2; exit 4',
    ];
    const startedAt = performance.now();
    await using wire = await StdioWire.start(argv, { limits: patient });
    expect(await wire.ended()).toEqual({
      reason: "the process ended with exit code 4",
      permanent: false,
      lastWords: ["gone"],
    });
    expect(wire.responses(1)).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(patient.exitGraceMs);
  });

  test("of its stdout is the end of the wire, though the process runs", async () => {
    await using wire = await StdioWire.start(fixture("closes-stdout"));
    await wire.ask("tools/call", { name: "close" });
    expect((await wire.ended()).reason).toContain("still ran");
  });

  test("is told once, and after it nothing more", async () => {
    const wire = await StdioWire.start(fixture("healthy"));
    await wire.request("initialize");
    await wire.ask("tools/call", { name: "slow", arguments: { ms: 50 } });
    await Promise.all([wire[Symbol.asyncDispose](), wire[Symbol.asyncDispose]()]);
    await wire[Symbol.asyncDispose]();
    expect(wire.ends).toEqual([{ reason: "the gateway ended the process", permanent: false, lastWords: [] }]);
    expect(wire.messages).toHaveLength(1);
  });

  test("shows no secret in its last words, nor in the log", async () => {
    registerSecret("sk-live-abcdef");
    const { log, lines } = recordLog();
    const argv = ["sh", "-c", "echo key $KEY is wrong >&2; exit 1"];
    await using wire = await StdioWire.start(argv, { env: { KEY: "sk-live-abcdef" }, log });
    expect((await wire.ended()).lastWords).toEqual(["key *** is wrong"]);
    expect(lines.map((line) => line.message)).toContain("stderr: key *** is wrong");
    expect(JSON.stringify(lines)).not.toContain("sk-live-abcdef");
  });
});

describe("a start", () => {
  async function failure(argv: string[], options = {}): Promise<StartError> {
    const thrown: unknown = await StdioWire.start(argv, options).catch((error: unknown) => error);
    if (!(thrown instanceof StartError)) throw new Error(`no StartError but ${String(thrown)}`);
    return thrown;
  }

  test("without its program fails for good and lists the PATH", async () => {
    const { end } = await failure(["no-such-server"], { env: { PATH: "/opt/nothing" } });
    expect(end).toMatchObject({ permanent: true });
    expect(end.reason).toContain("(searched /opt/nothing)");
  });

  test("without its working directory says so", async () => {
    const { end } = await failure(["cat"], { cwd: "/no/such/directory" });
    expect(end.permanent).toBe(true);
    expect(end.reason).toContain("/no/such/directory");
  });

  test("that failed for good knows when what it failed for has changed", async () => {
    const directory = await Bun.$`mktemp -d`.text().then((path) => path.trim());
    const cwd = join(directory, "cwd");
    const program = join(directory, "server");
    const runner = join(directory, "runner");
    const argv = ["server"];
    const options = { cwd, env: { PATH: directory } };
    const mends: [what: string, mend: () => Promise<unknown>][] = [
      ["its cwd", () => mkdir(cwd)],
      ["its program", () => Bun.write(program, `#!${runner}\n`)],
      ["its mode", () => chmod(program, 0o755)],
      ["its interpreter", () => Bun.write(runner, "no program\n")],
      ["its interpreter's mode", () => chmod(runner, 0o755)],
      ["its first line", () => Bun.write(program, "#!/bin/cat\n")],
    ];
    for (const [what, mend] of mends) {
      const thrown = await failure(argv, options);
      expect([what, thrown.end.permanent, await thrown.hasChanged()]).toEqual([what, true, false]);
      await Bun.write(join(directory, `beside ${what}`), "");
      expect(await thrown.hasChanged()).toBe(false);
      await mend();
      expect([what, await thrown.hasChanged()]).toEqual([what, true]);
    }
    await using _wire = await StdioWire.start(argv, options);
    await Bun.$`rm -r ${directory}`;
  });

  test("of a file that nothing runs says what is wrong with it", async () => {
    const directory = await Bun.$`mktemp -d`.text().then((path) => path.trim());
    await Bun.write(`${directory}/orphan`, "#!/no/such/interpreter\n");
    await Bun.write(`${directory}/bare`, "echo hello\n");
    await Bun.$`chmod +x ${directory}/orphan ${directory}/bare`;
    expect((await failure([`${directory}/orphan`])).end).toMatchObject({
      permanent: true,
      reason: expect.stringContaining("#!"),
    });
    expect((await failure(["./bare"], { cwd: directory })).end).toMatchObject({
      permanent: true,
      reason: expect.stringContaining("#!"),
    });
    await Bun.$`rm -r ${directory}`;
  });

  test("names no argument and no variable in its error", async () => {
    const argv = ["no-such-server", "--token", "t0ps3cret"];
    expect((await failure(argv, { env: { KEY: "t0ps3cret" } })).message).not.toContain("t0ps3cret");
  });

  test("uses the PATH, the env and the cwd of the backend", async () => {
    const env = { PATH: "/usr/bin:/bin", OWN: "mine" };
    await using wire = await StdioWire.start([process.execPath, ...fixture("healthy").slice(1)], {
      env,
      cwd: "/",
    });
    expect(await wire.call("env", { name: "OWN" })).toBe("mine");
    expect(await wire.call("env", { name: "PATH" })).toBe("/usr/bin:/bin");
    expect(await wire.call("env", { name: "PWD" })).not.toBe(process.cwd());
  });

  test("passes none of the gateway's secrets on", async () => {
    process.env.GATEWAY_TEST_SECRET = "t0ps3cret";
    await using wire = await StdioWire.start(fixture("healthy"));
    expect((await wire.call("env")).split("\n")).not.toContain("GATEWAY_TEST_SECRET");
    delete process.env.GATEWAY_TEST_SECRET;
  });

  test("leaves no descriptor behind, whether it failed or its process has ended", async () => {
    const directory = await Bun.$`mktemp -d`.text().then((path) => path.trim());
    await Bun.write(`${directory}/bare`, "echo hello\n");
    await chmod(`${directory}/bare`, 0o755);
    const startAndEnd = async () => {
      await failure(["./bare"], { cwd: directory });
      await (await StdioWire.start(["cat"]))[Symbol.asyncDispose]();
    };
    await startAndEnd();
    const before = readdirSync("/dev/fd").length;
    for (let round = 0; round < 10; round++) await startAndEnd();
    // One start more or less may be on its way out; ten are a leak.
    await waitFor(() => readdirSync("/dev/fd").length < before + 10, { what: "the descriptors" });
    await Bun.$`rm -r ${directory}`;
  });

  test("that is aborted starts nothing", async () => {
    const reason = new Error("too late");
    const started = StdioWire.start(["cat"], { signal: AbortSignal.abort(reason) });
    expect(await started.catch((error: unknown) => error)).toBe(reason);
  });
});
