// The rules for a backend's tools, on every way to them: a tool that is denied is as if it did not exist.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postModern } from "../conformance/modern-post.ts";
import { type RunningReference, referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { fixture, startsIn } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { allText, SdkClient, textOf } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestGateway } from "./gateway.ts";

const RULES = {
  allow: ["echo", "pid", "env", "crash", "slow"],
  deny: ["cr*", "env"],
  rename: { pid: "process_number" },
  describe: { echo: "Repeats the words it is given" },
};
const BACKENDS = {
  ruled: { ...asBackend(fixture("healthy")), tools: RULES },
  plain: asBackend(fixture("healthy")),
};
const LEFT = ["echo", "process_number", "slow"];

let stack: AsyncDisposableStack;
let gateway: TestGateway;
let merged: TestGateway;
let web: RunningReference;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  web = stack.use(await startReference("http", "modern"));
  const headers = {
    url: web.url,
    tools: { rename: { header_params: "mirrored" }, allow: ["header_params"] },
  };
  const backends = {
    ...BACKENDS,
    web: headers,
    stdio: { ...asBackend(referenceCommand("both", ["--page-size", "3"])), tools: { deny: ["ask_*", "e*"] } },
  };
  const pinned = ["ruled.process_number", "ruled.pid", "ruled.env"];
  gateway = stack.use(await TestGateway.start({ pinned, backends }));
  merged = stack.use(await TestGateway.start({ enable_meta_mcp: false, backends }));
});

afterAll(() => stack.disposeAsync());

async function names(client: SdkClient): Promise<string[]> {
  return (await client.client.listTools()).tools.map(({ name }) => name);
}

describe("on the direct route", () => {
  test("only what is left is listed: asleep, awake, and to either era", async () => {
    await using client = await gateway.connect("ruled");
    expect(await names(client)).toEqual(LEFT);
    await client.text("echo", { text: "wake up" });
    expect(await names(client)).toEqual(LEFT);
    const modern = await postModern(`${gateway.url}/mcp/ruled`, "tools/list", {});
    expect(modern).toMatchObject({ result: { tools: LEFT.map((name) => ({ name })) } });
    const { tools } = await client.client.listTools();
    expect(tools[0]?.description).toBe("Repeats the words it is given");
  });

  test("on every page", async () => {
    await using client = await gateway.connect("stdio");
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.client.listTools(cursor === undefined ? {} : { cursor });
      seen.push(...page.tools.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toContain("structured");
    expect(seen.filter((name) => name.startsWith("ask_") || name.startsWith("e"))).toEqual([]);
  });

  test.each(["crash", "env", "pid", "big", "no_such"])("%s is an unknown tool", async (name) => {
    await using client = await gateway.connect("ruled");
    await expect(client.client.callTool({ name })).rejects.toThrow(`-32602: Unknown tool: ${name}`);
    const reply = await postModern(`${gateway.url}/mcp/ruled`, "tools/call", { name, arguments: {} });
    expect(reply).toMatchObject({ error: { code: -32602, message: `Unknown tool: ${name}` } });
  });

  test("a new name is a name like any other", async () => {
    await using client = await gateway.connect("ruled");
    expect(Number(await client.text("process_number"))).toBeGreaterThan(1);
  });

  test("a new name goes with the headers that mirror arguments", async () => {
    const params = { name: "mirrored", arguments: { city: "Oslo" } };
    const url = `${gateway.url}/mcp/web`;
    expect(await postModern(url, "tools/call", params, { "Mcp-Param-City": "Oslo" })).toMatchObject({
      result: { structuredContent: { headers: { "mcp-name": "header_params", "mcp-param-city": "Oslo" } } },
    });
    expect(await postModern(url, "tools/call", params)).toMatchObject({ error: { code: -32020 } });
  });

  test("a backend without rules passes unchanged", async () => {
    await using client = await gateway.connect("plain");
    expect(await names(client)).toContainValues(["crash", "env", "pid", "big"]);
  });
});

test("merged, only what is left is listed and called", async () => {
  await using client = await merged.connect();
  const own = (await names(client)).filter((name) => name.startsWith("ruled__"));
  expect(own).toEqual(LEFT.map((name) => `ruled__${name}`));
  expect(Number(await client.text("ruled__process_number"))).toBeGreaterThan(1);
  await expect(client.client.callTool({ name: "ruled__env" })).rejects.toThrow(/-32602.*ruled__env/);
});

describe("behind the four", () => {
  let sdk: SdkClient;
  beforeAll(async () => {
    sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  });
  afterAll(() => sdk[Symbol.asyncDispose]());

  function call(name: string, args: object) {
    return sdk.client.callTool({ name, arguments: { ...args } });
  }

  test("search and lists know only what is left", async () => {
    const found = await sdk.text("gateway_search_tools", {
      query: "process id environment crash",
      limit: 50,
    });
    expect(found).toContain("ruled.process_number()");
    expect(found).toContain("plain.crash(");
    for (const gone of ["ruled.crash", "ruled.env", "ruled.pid"]) expect(found).not.toContain(gone);
    const listed = await sdk.text("gateway_list_tools", { server: "ruled" });
    expect(listed.split("\n").map((line) => /^ruled\.(\w+)\(/.exec(line)?.[1])).toEqual(LEFT);
    expect(listed).toContain("Repeats the words");
    expect(await sdk.text("gateway_list_servers")).toContain("(3 tools");
  });

  test.each(["crash", "env", "pid"])("invoking %s names the nearest that there are", async (tool) => {
    for (const answer of [
      await call("gateway_invoke", { server: "ruled", tool }),
      await call(`ruled__${tool}`, {}),
      await call("gateway_list_tools", { server: "ruled", tool }),
    ]) {
      expect(answer.isError).toBe(true);
      expect(textOf(answer)).toStartWith(`Unknown tool "${tool}" on ruled. Nearest:\n`);
      expect(allText(answer)).not.toContain(`ruled.${tool}(`);
    }
  });

  test("a new name is invoked, also where only it is pinned", async () => {
    expect(Number(await sdk.invoke("ruled", "process_number"))).toBeGreaterThan(1);
    expect((await names(sdk)).slice(4)).toEqual(["ruled__process_number"]);
    expect(Number(await sdk.text("ruled__process_number"))).toBeGreaterThan(1);
  });
});

test("rules that fit nothing are warned of", async () => {
  const healthy = asBackend(fixture("healthy"));
  const backends = { typo: { ...healthy, tools: { deny: ["crsh"] } } };
  await using wrong = await TestGateway.start({ backends });
  await using client = await wrong.connect("typo");
  await client.client.listTools();
  expect(wrong.lines).toContainEqual(
    expect.objectContaining({ level: "WARNING", backend: "typo", rule: "deny: crsh" }),
  );
});

describe("a backend that sleeps", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mcp-gateway-rules-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("is not woken by a tool that there is not", async () => {
    const starts = join(folder, "starts");
    const sleepy = { ...BACKENDS.ruled, env: { STARTS_FILE: starts }, idle_timeout: "1s" };
    await using calm = await TestGateway.start({ backends: { sleepy } });
    await using client = await calm.connect("sleepy");
    await client.text("echo", { text: "awake" });
    const state = async () => {
      const health: unknown = await (await fetch(`${calm.url}/health`)).json();
      return Object(health).backends.sleepy.state;
    };
    await waitFor(async () => (await state()) === "asleep", { what: "sleep" });
    await expect(client.client.callTool({ name: "crash" })).rejects.toThrow("Unknown tool: crash");
    expect([await state(), (await startsIn(starts)).length]).toEqual(["asleep", 1]);
    await client.text("echo", { text: "awake" });
    expect(await startsIn(starts)).toHaveLength(2);
  });

  test("shows after a restart what the rules of now leave, not those of then", async () => {
    const healthy = asBackend(fixture("healthy"));
    const namesWith = async (tools: object) => {
      await using again = await TestGateway.start({ backends: { healthy: { ...healthy, tools } } }, folder);
      await using client = await again.connect();
      const listed = await client.text("gateway_list_tools", { server: "healthy" });
      return listed.split("\n").map((line) => /^healthy\.(\w+)\(/.exec(line)?.[1]);
    };
    expect(await namesWith({ allow: ["echo", "pid"] })).toEqual(["echo", "pid"]);
    expect(await namesWith({ allow: ["echo", "env"] })).toEqual(["echo", "env"]);
    expect(await namesWith({ allow: ["echo"], rename: { echo: "say" } })).toEqual(["say"]);
  });
});
