// `mcp-gateway tokens`: counts that anybody can repeat, and an honest verdict.

import { describe, expect, test } from "bun:test";
import ranks from "gpt-tokenizer/bpeRanks/o200k_base";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { loadTokenizer, readRanks } from "../../src/commands/tokenizer.ts";
import type { Definition } from "../../src/survey.ts";
import { metaToolDefinitions } from "../../src/target/meta-tools.ts";
import { postModern } from "../conformance/modern-post.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { GatewayRun, runToEnd } from "../support/run-gateway.ts";

const everything = asBackend(npmServer("everything"));
const healthy = asBackend(fixture("healthy"));

describe("mcp-gateway tokens --json", () => {
  test("counts what a client would load from the same servers", async () => {
    const config = { pinned: ["everything.echo"], backends: { everything, healthy } };
    const { exitCode, stdout } = await runToEnd(["tokens", "--json"], { config });
    const report = JSON.parse(stdout);
    await using gateway = await GatewayRun.start({ config, args: ["--no-meta-mcp"] });
    const listed: unknown = await postModern(`${gateway.url}/mcp`, "tools/list", {});
    const { tools }: { tools: Definition[] } = Object(Object(listed).result);
    const cost = (prefix: string) => {
      const own = tools.filter(({ name }) => name.startsWith(prefix));
      const told = own.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
      return { tools: own.length, tokens: encode(JSON.stringify(told)).length };
    };
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({
      tokenizer: "o200k_base",
      servers: [
        { name: "everything", tools: cost("everything").tools, tokens: cost("everything").tokens },
        { name: "healthy", tools: 8, tokens: cost("healthy").tokens, problem: null },
      ],
      all: { tools: tools.length },
      meta: { pinned: cost("everything__echo").tokens },
    });
    const four = metaToolDefinitions(["everything", "healthy"]).map(({ annotations: _, ...told }) => told);
    expect(report.meta.four).toBe(
      encode(
        JSON.stringify(
          four.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
        ),
      ).length,
    );
    const [first, second] = report.servers;
    expect(report.all.tokens).toBe(first.tokens + second.tokens);
    expect(report.meta.tokens).toBe(report.meta.four + report.meta.pinned);
    expect(report.search.tokens).toBeGreaterThan(100);
    expect(report.search.tokens).toBeLessThan(450);
    expect(report.breakEvenSearches).toBe(
      Math.floor((report.all.tokens - report.meta.tokens) / report.search.tokens),
    );
  });

  test("names what could not be counted, on stderr: the answer is there", async () => {
    const config = { backends: { healthy, missing: { command: "no-such-program-anywhere" } } };
    const { exitCode, stdout, stderr } = await runToEnd(["tokens", "--json"], { config });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^not counted: missing: .*no-such-program-anywhere/);
    expect(JSON.parse(stdout).servers).toMatchObject([
      { name: "healthy", problem: null },
      { name: "missing", tools: 0, tokens: 0, problem: expect.stringContaining("no-such-program-anywhere") },
    ]);
  });
});

describe("mcp-gateway tokens", () => {
  test("says that meta mode does not pay with few tools", async () => {
    const { stdout, exitCode } = await runToEnd(["tokens"], { config: { backends: { healthy } } });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}healthy +8 +\d+$/m);
    expect(stdout).toContain("Meta mode does not pay with so few tools");
    expect(stdout).toContain("enable_meta_mcp: false");
    expect(stdout).toContain("A client that defers tools itself");
  });

  test("fails where nothing could be counted", async () => {
    const config = { backends: { missing: { command: "no-such-program-anywhere" } } };
    const { exitCode, stdout, stderr } = await runToEnd(["tokens"], { config });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ {2}missing +- +-$/m);
    expect(stdout).toContain("No tools are known");
    expect(stderr).toContain("not counted: missing");
  });

  test("says how much it saves where it pays", async () => {
    const backends = {
      everything,
      files: asBackend(npmServer("filesystem", ".")),
      memory: asBackend(npmServer("memory")),
    };
    const { stdout } = await runToEnd(["tokens"], { config: { backends } });
    expect(stdout).toMatch(/Meta mode pays: \d\d(?:\.\d)? % less in every request\./);
    expect(stdout).toMatch(/break-even: \d+ searches/);
  });
});

describe("the tokenizer", () => {
  test("has the ranks of the library, byte for byte", async () => {
    const file = Bun.file(Bun.resolveSync("gpt-tokenizer/data/o200k_base.tiktoken", import.meta.dir));
    expect(Bun.deepEquals(readRanks(await file.text()), ranks)).toBe(true);
  });

  test("counts as the library does", async () => {
    const count = await loadTokenizer();
    for (const text of ["", "hello world", "日本語 🎉 ﷺ \ufffd\ufeff", JSON.stringify({ a: [1, null] })])
      expect(count(text)).toBe(encode(text).length);
  });
});
