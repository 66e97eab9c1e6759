// `mcp-gateway search`: what a model would find, from the terminal.

import { expect, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { ProgramRun, runToEnd } from "../support/run-gateway.ts";

const config = {
  backends: {
    files: { ...asBackend(npmServer("filesystem", ".")), tools: { deny: ["read_media_file"] } },
    healthy: asBackend(fixture("healthy")),
    off: { ...asBackend(fixture("healthy")), enabled: false },
    missing: { command: "no-such-program-anywhere" },
  },
};

test("prints the lines that a model gets, best first, and who was not searched", async () => {
  const { exitCode, stdout, stderr } = await runToEnd(["search", "read", "a text", "file"], { config });
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^files\.read_\w*file\w*\(path: string.*\) — /);
  expect(stdout).not.toContain("read_media_file");
  expect(stdout).not.toContain("off.");
  expect(stderr).toMatch(/^not searched: missing: .*no-such-program-anywhere/m);
});

test("--limit and --explain: as many, each with its score and the words that were found", async () => {
  const { stdout } = await runToEnd(["search", "create folder", "--limit", "1", "--explain"], { config });
  expect(stdout).toMatch(/^files\.create_directory\(path: string\)/);
  expect(stdout).toMatch(/^ {2}score \d+\.\d\d = words \d/m);
  expect(stdout).toMatch(/^ {4}folder: \d.* as directory \(synonym\)/m);
  expect(stdout.match(/score/g)).toHaveLength(1);
});

test("--json is for programs, with the reasons on demand", async () => {
  const plain = JSON.parse((await runToEnd(["search", "move a file", "--json"], { config })).stdout);
  expect(plain).toMatchObject({
    query: "move a file",
    hits: [
      { server: "files", tool: "move_file", line: expect.stringContaining("files.move_file(") },
      {},
      {},
      {},
      {},
    ],
    unavailable: [{ server: "missing", problem: expect.stringContaining("missing") }],
  });
  expect(plain.hits[0]).not.toHaveProperty("words");
  const explained = JSON.parse(
    (await runToEnd(["search", "move", "--json", "--explain"], { config })).stdout,
  );
  expect(explained.hits[0]).toMatchObject({
    parts: { words: expect.any(Number) },
    words: [{ word: "move" }],
  });
});

test("a server that an earlier run has listed is not started again", async () => {
  const healthy = asBackend(fixture("healthy"));
  await using run = await ProgramRun.start(["search", "echo"], { config: { backends: { healthy } } });
  run.endInput();
  await run.exited();
  const starts = `${run.folder}/starts`;
  const env = { STARTS_FILE: starts };
  const again = { backends: { healthy: { ...healthy, env } } };
  // The environment is a part of what a server is: so this one is new, and started once.
  const cache = { XDG_CACHE_HOME: run.folder };
  for (const _ of [1, 2]) {
    const { stdout } = await runToEnd(["search", "echo"], { config: JSON.stringify(again), env: cache });
    expect(stdout).toContain("healthy.echo(");
  }
  expect((await Bun.file(starts).text()).trim().split("\n")).toHaveLength(1);
});

test("nothing found is exit code 1, without words or a limit that makes sense 2", async () => {
  const { exitCode, stdout, stderr } = await runToEnd(["search", "xyzzyplugh"], { config });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain('No tool fits "xyzzyplugh".');
  expect((await runToEnd(["search"], { config })).exitCode).toBe(2);
  expect((await runToEnd(["search", "x", "--limit", "0"], { config })).exitCode).toBe(2);
});
