// --no-meta-mcp: all backends as one server, under qualified names.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const LONG = "a-backend-with-a-name-that-leaves-little-room-for-its-tools";
const DOCUMENT = "gateway:everything:demo://resource/static/document/features.md";

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
let sdk: SdkClient;
let folder: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-files-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  gateway = stack.use(
    await GatewayRun.start({
      args: ["--no-meta-mcp"],
      config: {
        enable_meta_mcp: true,
        backends: {
          everything: asBackend(npmServer("everything")),
          files: asBackend(npmServer("filesystem", folder)),
          memory: {
            ...asBackend(npmServer("memory")),
            env: { MEMORY_FILE_PATH: join(folder, "memory.json") },
          },
          [LONG]: asBackend(fixture("healthy")),
          missing: { command: "no-such-program-anywhere" },
        },
      },
    }),
  );
  sdk = stack.use(await SdkClient.connect(`${gateway.url}/mcp`));
});

afterAll(() => stack.disposeAsync());

test("lists the tools of all that work, under names that every client takes", async () => {
  const names = (await sdk.client.listTools()).tools.map(({ name }) => name);
  expect(names).toContainValues(["everything__echo", "files__read_text_file", "memory__create_entities"]);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name.startsWith("missing"))).toEqual([]);
  expect((await sdk.client.listTools()).tools.map(({ name }) => name)).toEqual(names);
});

test("calls them, those with shortened names too", async () => {
  expect(await sdk.text("everything__echo", { message: "merged" })).toBe("Echo: merged");
  const path = join(folder, "out.txt");
  await sdk.text("files__write_file", { path, content: "written" });
  expect(await Bun.file(path).text()).toBe("written");
  const { tools } = await sdk.client.listTools();
  const short = tools.filter(({ name }) => name.startsWith(LONG.slice(0, 50)));
  expect(short).toHaveLength(8);
  const echo = short.find(({ description }) => description === "Says back what it is told");
  expect(await sdk.text(echo?.name ?? "", { text: "shortened" })).toBe("shortened");
});

test("serves resources, templates, prompts and completion of all", async () => {
  const { resources } = await sdk.client.listResources();
  expect(resources.map(({ uri }) => uri)).toContain(DOCUMENT);
  expect((await sdk.client.readResource({ uri: DOCUMENT })).contents).toMatchObject([
    { uri: DOCUMENT, text: expect.stringContaining("# Everything Server") },
  ]);
  const { resourceTemplates } = await sdk.client.listResourceTemplates();
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain(
    "gateway:everything:demo://resource/dynamic/text/{resourceId}",
  );
  const { prompts } = await sdk.client.listPrompts();
  expect(prompts.map(({ name }) => name)).toContain("everything__args-prompt");
  const prompt = await sdk.client.getPrompt({ name: "everything__args-prompt", arguments: { city: "Oslo" } });
  expect(JSON.stringify(prompt)).toContain("Oslo");
  const completed = await sdk.client.complete({
    ref: { type: "ref/prompt", name: "everything__completable-prompt" },
    argument: { name: "department", value: "S" },
  });
  expect(completed.completion.values).toEqual(["Sales", "Support"]);
});

test("tells of updates under the qualified URI", async () => {
  await sdk.client.subscribeResource({ uri: DOCUMENT });
  await sdk.text("everything__toggle-subscriber-updates");
  await waitFor(() => sdk.updated.length > 0, { what: "a resource update" });
  expect(sdk.updated).toEqual([DOCUMENT]);
  await sdk.text("everything__toggle-subscriber-updates");
});

test("asks the client what a backend asks", async () => {
  expect(await sdk.text("everything__trigger-sampling-request", { prompt: "hm" })).toContain("sampled words");
  expect(sdk.questions.map(({ method }) => method)).toContain("sampling/createMessage");
});

test("says what it does not have", async () => {
  await expect(sdk.client.callTool({ name: "everything__nothing" })).rejects.toThrow(
    /-32602.*everything__nothing/,
  );
  await expect(sdk.client.readResource({ uri: "demo://bare" })).rejects.toThrow(/demo:\/\/bare/);
});

test("the backends themselves are where they always are", async () => {
  await using direct = await SdkClient.connect(`${gateway.url}/mcp/everything`);
  expect(await direct.text("echo", { message: "direct" })).toBe("Echo: direct");
});
