// What a model gets that calls a tool in its own way, or one that is not there: the tool, or the words to go on with.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { qualifyName } from "../../src/target/qualified.ts";
import { postModern } from "../conformance/modern-post.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { type SdkClient, textOf } from "../support/sdk-client.ts";
import { TestGateway } from "./gateway.ts";

const LONG = "a-backend-with-a-name-that-leaves-little-room-for-its-tools";

let gateway: TestGateway;
let sdk: SdkClient;

beforeAll(async () => {
  gateway = await TestGateway.start({
    backends: {
      healthy: { ...asBackend(fixture("healthy")), description: "a server for tests" },
      reference: asBackend(referenceCommand("legacy")),
      "reference.two": asBackend(fixture("healthy")),
      [LONG]: asBackend(fixture("healthy")),
      asleep: asBackend(fixture("healthy")),
      broken: { command: "no-such-program-anywhere" },
    },
  });
  sdk = await gateway.connect();
});

afterAll(async () => {
  await sdk[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

function call(name: string, args: object = {}) {
  return sdk.client.callTool({ name, arguments: { ...args } });
}

describe("a tool that is not listed is called by", () => {
  test.each(["healthy__echo", "healthy.echo", "reference.two__echo", "reference.two.echo"])(
    "%s",
    async (name) => {
      expect(textOf(await call(name, { text: "found" }))).toBe("found");
    },
  );

  test("its shortened name", async () => {
    await call("gateway_list_tools", { server: LONG });
    const name = qualifyName(LONG, "echo");
    expect(name).toHaveLength(64);
    expect(textOf(await call(name, { text: "found" }))).toBe("found");
  });

  test("a modern client", async () => {
    const params = { name: "healthy__echo", arguments: { text: "found" } };
    expect(await postModern(`${gateway.url}/mcp`, "tools/call", params)).toMatchObject({
      result: { resultType: "complete", content: [{ type: "text", text: "found" }] },
    });
  });

  test.each([
    { server: "healthy", tool: "healthy.echo", arguments: { text: "found" } },
    { tool: "healthy.echo", arguments: { text: "found" } },
    { tool: "reference.two__echo", arguments: '{"text":"found"}' },
    { server: "healthy", tool: "echo", text: "found" },
  ])("gateway_invoke with %j", async (args) => {
    expect(textOf(await call("gateway_invoke", args))).toBe("found");
  });

  test("a meta-tool whose empty arguments are a list", async () => {
    const params = { name: "gateway_list_servers", arguments: [] };
    const answer = await postModern(`${gateway.url}/mcp`, "tools/call", params);
    expect(answer).toMatchObject({ result: { content: [{ text: expect.stringContaining("healthy") }] } });
  });
});

describe("what is not there is answered with the nearest, ready to be called:", () => {
  test.each([
    ["healthy__ecko", {}],
    ["healthy.ecko", {}],
    ["gateway_invoke", { server: "healthy", tool: "ecko" }],
    ["gateway_list_tools", { server: "healthy", tool: "ecko" }],
  ])("%s %j", async (name, args) => {
    const result = await call(name, args);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(
      /^Unknown tool "ecko" on healthy\. Nearest:\nhealthy\.echo\(text: string\) — Says back/,
    );
  });

  test("a name without a server", async () => {
    const result = await call("ecko");
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/^Unknown tool "ecko"\. Nearest:\n\S+\.echo\(/);
  });

  test("a server, with those that there are", async () => {
    const result = await call("gateway_invoke", { server: "helthy", tool: "echo" });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/"helthy".*healthy, reference/);
  });
});

describe("arguments that cannot be right", () => {
  test("of a tool are answered with its signature", async () => {
    const result = await call("gateway_invoke", {
      server: "reference",
      tool: "fail_with",
      arguments: { code: -32602 },
    });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain("Expected: reference.fail_with(");
  });

  test("of gateway_invoke are answered with an example", async () => {
    const result = await call("gateway_invoke", { server: "healthy" });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('Example: {"server": "files", "tool": "read_file"');
  });
});

test("gateway_list_tools gives the exact schema of one tool", async () => {
  const text = textOf(await call("gateway_list_tools", { server: "healthy", tool: "echo" }));
  const schema = /^inputSchema: (.*)$/m.exec(text)?.[1];
  await using direct = await gateway.connect("healthy");
  const { tools } = await direct.client.listTools();
  expect(JSON.parse(schema ?? "")).toEqual(tools.find(({ name }) => name === "echo")?.inputSchema);
});

test("gateway_list_servers says in a line each what it is for, how many tools it has, and how it is", async () => {
  await call("healthy__echo", { text: "awake" });
  await call("gateway_invoke", { server: "broken", tool: "x" });
  const lines = textOf(await call("gateway_list_servers")).split("\n");
  expect(lines).toHaveLength(6);
  expect(lines[0]).toMatch(/^healthy: a server for tests \(8 tools, ready\)$/);
  expect(lines.find((line) => line.startsWith("asleep"))).toMatch(
    /^asleep.*\((?:\d+ tools|tools not listed yet), /,
  );
  expect(lines.find((line) => line.startsWith("broken"))).toContain("no-such-program-anywhere");
});
