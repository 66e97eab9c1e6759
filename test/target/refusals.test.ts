// What a server refuses with, as a model gets it by gateway_invoke: the message, what stands beside it, the page to open.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { allText, type SdkClient } from "../support/sdk-client.ts";
import { TestGateway } from "./gateway.ts";

const URL_TO_OPEN = "https://example.com/consent?state=s3cr3t-state&token=abcdef123456";

let gateway: TestGateway;
/** Says that it opens pages, and accepts each. */
let sdk: SdkClient;
/** Can be asked nothing. */
let plain: Client;

beforeAll(async () => {
  gateway = await TestGateway.start({
    backends: { old: asBackend(referenceCommand("legacy")), other: asBackend(fixture("healthy")) },
  });
  sdk = await gateway.connect();
  plain = new Client({ name: "plain", version: "1" });
  await plain.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)));
});

afterAll(async () => {
  await plain.close();
  await sdk[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

function invoke(client: Client, tool: string, args: object) {
  return client.callTool({ name: "gateway_invoke", arguments: { server: "old", tool, arguments: args } });
}

test("the data of an error is kept", async () => {
  const data = { retry_after: 7, reasons: ["a", null] };
  const result = await invoke(plain, "fail_with", { code: -33099, message: "no room", data });
  expect(result.isError).toBe(true);
  expect(allText(result)).toContain("old.fail_with: ");
  expect(allText(result)).toContain("no room");
  expect(allText(result)).toContain(`data: ${JSON.stringify(data)}`);
});

test("an error without data says nothing of it", async () => {
  expect(allText(await invoke(plain, "fail_with", { code: -33099, message: "no" }))).not.toContain("data");
});

test("a page that the user has to open first is named to a client that cannot open it", async () => {
  const result = await invoke(plain, "url_required", { url: URL_TO_OPEN });
  expect(result.isError).toBe(true);
  expect(allText(result)).toContain(`open this page first, then call again: ${URL_TO_OPEN} (Please consent)`);
});

test("a client that can open it is asked to, and then the call is made again, once", async () => {
  const result = await invoke(sdk.client, "url_required", { url: URL_TO_OPEN });
  const asked = sdk.questions.map(({ method, params }) => ({ method, params }));
  expect(asked).toEqual([
    {
      method: "elicitation/create",
      params: expect.objectContaining({ mode: "url", url: URL_TO_OPEN, elicitationId: expect.any(String) }),
    },
  ]);
  // This server wants it every time.
  expect(allText(result)).toContain(URL_TO_OPEN);
});

test("invalid arguments are answered with what is wrong with them", async () => {
  const result = await invoke(plain, "fail_with", { code: -32602, message: "bad", massage: 1 });
  expect(allText(result)).toContain('unknown "massage" (did you mean "message"?)');
  expect(allText(result)).toContain("Expected: old.fail_with(");
});

test("a wrong tool name on a known server is answered with that server's own tools first", async () => {
  const result = await plain.callTool({
    name: "gateway_invoke",
    arguments: { server: "old", tool: "slow_echo" },
  });
  const [, first] = allText(result).split("Nearest:\n");
  expect(first).toStartWith("old.");
});
