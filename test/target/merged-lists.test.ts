// Lists of many backends on one route: each name once and to its own owner, nothing that the official client refuses, and
// every resource that a result names can be read where it was named.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ConfigInput } from "../../src/config/schema.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { allText, type SdkClient, textOf } from "../support/sdk-client.ts";
import { TestGateway } from "./gateway.ts";

type Told = Readonly<Record<string, unknown>>;

function told(label: string, answers: Told) {
  return asBackend(fixture("answers-as-told", JSON.stringify(answers), label));
}

const SCHEMA = { type: "object" };

function tools(...names: string[]): Told {
  return { "tools/list": { tools: names.map((name) => ({ name, inputSchema: SCHEMA })) } };
}

async function start(
  config: ConfigInput,
): Promise<{ gateway: TestGateway; sdk: SdkClient } & AsyncDisposable> {
  const gateway = await TestGateway.start(config);
  const sdk = await gateway.connect();
  return {
    gateway,
    sdk,
    [Symbol.asyncDispose]: async () => {
      await sdk[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

async function namesOf({ client }: SdkClient): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}

const MEETING = {
  a: told("a", tools("b__c", "_c", "c__d", "same")),
  a__b: told("a__b", tools("c", "same")),
  a_: told("a_", tools("c")),
  "a.b": told("a.b", tools("c")),
  b: told("b", tools("same")),
};

describe("names that could meet", () => {
  test("are each listed once, stay the same, and reach their own tool", async () => {
    await using run = await start({ enable_meta_mcp: false, backends: MEETING });
    const names = await namesOf(run.sdk);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContainValues(["a__b__c", "a___c", "a__same", "b__same"]);
    const reached = await Promise.all(
      names.map(async (name) => textOf(await run.sdk.client.callTool({ name, arguments: {} }))),
    );
    expect(reached.toSorted()).toEqual(
      [
        "a: b__c",
        "a: _c",
        "a: c__d",
        "a: same",
        "a__b: c",
        "a__b: same",
        "a_: c",
        "a.b: c",
        "b: same",
      ].toSorted(),
    );
    expect(await namesOf(run.sdk)).toEqual(names);
  });

  test("are the same whatever the order of the servers", async () => {
    await using one = await start({ enable_meta_mcp: false, backends: MEETING });
    const backwards = Object.fromEntries(Object.entries(MEETING).toReversed());
    await using other = await start({ enable_meta_mcp: false, backends: backwards });
    expect((await namesOf(one.sdk)).toSorted()).toEqual((await namesOf(other.sdk)).toSorted());
  });

  test("are told apart among pinned tools and in calls by name on the meta route", async () => {
    await using run = await start({
      pinned: ["a.b__c", "a__b.c", "a.b__c", "a.b.c"],
      backends: { ...MEETING, "a.b": told("a.b", tools("other")), a: told("a", tools("b__c", "b.c")) },
    });
    // Which of `a` and `a.b` a dot belongs to is known once their tools are.
    await run.sdk.client.callTool({ name: "gateway_list_tools", arguments: { server: "a.b" } });
    await run.sdk.client.callTool({ name: "gateway_list_tools", arguments: { server: "a" } });
    const names = (await namesOf(run.sdk)).filter((name) => !name.startsWith("gateway_"));
    expect(names).toHaveLength(3);
    const reached = names.map(async (name) => textOf(await run.sdk.client.callTool({ name, arguments: {} })));
    expect(await Promise.all(reached)).toEqual(["a: b__c", "a__b: c", "a: b.c"]);
  });

  test("of a backend that fails do not hide those of another", async () => {
    await using run = await start({
      enable_meta_mcp: false,
      backends: { a: told("a", tools("b__c")), a__b: { command: "no-such-program-anywhere" } },
    });
    expect(textOf(await run.sdk.client.callTool({ name: "a__b__c", arguments: {} }))).toBe("a: b__c");
    expect(await namesOf(run.sdk)).toEqual(["a__b__c"]);
  });
});

describe("what is listed twice is there once", () => {
  const items = (key: string, item: Json) => [
    { [key]: [item, item], nextCursor: "1" },
    { [key]: [{ ...item }], nextCursor: "2" },
    { [key]: [item], nextCursor: "3" },
    { [key]: [item], nextCursor: "4" },
  ];
  const twice: Told = {
    "tools/list": items("tools", { name: "t", inputSchema: SCHEMA }),
    "prompts/list": items("prompts", { name: "p" }),
    "resources/list": items("resources", { uri: "x://r", name: "r" }),
    "resources/templates/list": items("resourceTemplates", { uriTemplate: "x://{r}", name: "r" }),
  };

  test("on one page, on several, and on pages without end", async () => {
    await using run = await start({ enable_meta_mcp: false, backends: { s: told("s", twice) } });
    const { client } = run.sdk;
    expect(await namesOf(run.sdk)).toEqual(["s__t"]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["s__p"]);
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(["gateway:s:x://r"]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(["gateway:s:x://{r}"]);
    const warned = run.gateway.lines.filter(({ message }) => message.includes("lists twice"));
    expect(warned.length).toBe(4);
  });
});

const RIGHT = {
  name: "right",
  description: "Stays as it is.",
  inputSchema: { ...SCHEMA, properties: { a: {} } },
};
const BAD_TOOLS: Json[] = [
  { name: "no_schema" },
  { name: "null_schema", inputSchema: null },
  { name: "no_type", inputSchema: {} },
  { name: "wrong_type", inputSchema: { type: "string" } },
  { name: "text_schema", inputSchema: "object" },
  { name: "php", inputSchema: { type: "object", properties: [] } },
  { name: "null_properties", inputSchema: { type: "object", properties: null, required: null } },
  { name: "boolean_property", inputSchema: { type: "object", properties: { a: true, b: false, c: null } } },
  { name: "required_text", inputSchema: { type: "object", required: "a" } },
  { name: "required_numbers", inputSchema: { type: "object", required: ["a", 1] } },
  { name: "null_hint", inputSchema: SCHEMA, annotations: { readOnlyHint: null, title: "kept" } },
  { name: "null_annotations", inputSchema: SCHEMA, annotations: null },
  { name: "null_output", inputSchema: SCHEMA, outputSchema: null },
  { name: "list_output", inputSchema: SCHEMA, outputSchema: { type: "array" } },
  {
    name: "nulls",
    inputSchema: SCHEMA,
    title: null,
    description: null,
    icons: null,
    _meta: null,
    execution: null,
  },
  {
    name: "bad_icons",
    inputSchema: SCHEMA,
    icons: [{ href: "x" }, { src: "y", sizes: "48x48", theme: "grey" }],
  },
  { name: "bad_execution", inputSchema: SCHEMA, execution: { taskSupport: "sometimes" } },
];
const BAD: Told = {
  "tools/list": { tools: [RIGHT, ...BAD_TOOLS, { inputSchema: SCHEMA }, { name: 7 }, null, "tool"] },
  "prompts/list": {
    prompts: [
      { name: "p", arguments: null, title: null },
      { name: "q", arguments: [{ name: "a", required: "yes" }, { description: "nameless" }, null] },
      { name: null },
      {},
    ],
  },
  "resources/list": {
    resources: [
      { uri: "x://a", name: "a", size: "7", mimeType: null, annotations: { priority: 7, audience: "user" } },
      { uri: "x://b", annotations: { lastModified: "yesterday", audience: ["user", "dog"] } },
      { name: "no uri" },
      { uri: 7, name: "seven" },
    ],
  },
  "resources/templates/list": {
    resourceTemplates: [{ uriTemplate: "x://{a}", description: 7 }, { name: "nothing" }],
  },
};

describe("what clients refuse", () => {
  test("is repaired or left out alone, and the rest is as it was", async () => {
    await using run = await start({
      enable_meta_mcp: false,
      backends: { bad: told("bad", BAD), good: told("good", tools("fine")) },
    });
    const { client } = run.sdk;
    const listed = (await client.listTools()).tools;
    expect(listed.map(({ name }) => name)).toEqual([
      "bad__right",
      ...BAD_TOOLS.map(({ name }) => `bad__${name}`),
      "good__fine",
    ]);
    const tool = (name: string) => listed.find((each) => each.name === `bad__${name}`);
    expect(tool("right")).toEqual({ ...RIGHT, name: "bad__right" } as never);
    expect(tool("boolean_property")?.inputSchema.properties).toEqual({ a: {}, b: { not: {} }, c: {} });
    expect(tool("required_numbers")?.inputSchema.required).toEqual(["a"]);
    expect(tool("null_hint")?.annotations).toEqual({ title: "kept" });
    expect(tool("bad_icons")?.icons).toEqual([{ src: "y" }]);
    expect(textOf(await client.callTool({ name: "bad__no_schema", arguments: {} }))).toBe("bad: no_schema");
    const { prompts } = await client.listPrompts();
    expect(prompts).toEqual([{ name: "bad__p" }, { name: "bad__q", arguments: [{ name: "a" }] }]);
    const { resources } = await client.listResources();
    expect(resources.map(({ name, uri }) => [name, uri])).toEqual([
      ["a", "gateway:bad:x://a"],
      ["x://b", "gateway:bad:x://b"],
    ]);
    expect(resources[1]?.annotations).toEqual({ audience: ["user"] });
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates).toEqual([{ name: "x://{a}", uriTemplate: "gateway:bad:x://{a}" }]);
    const warned = run.gateway.lines.filter(({ level }) => level === "WARNING");
    expect(warned.some(({ message }) => message.includes("repaired"))).toBe(true);
    expect(warned.some(({ message }) => message.includes("left out"))).toBe(true);
  });

  test("is repaired among pinned tools, too", async () => {
    const pinned = ["bad.right", ...BAD_TOOLS.map(({ name }) => `bad.${name}`)];
    await using run = await start({ pinned, backends: { bad: told("bad", BAD) } });
    expect(await namesOf(run.sdk)).toHaveLength(4 + pinned.length);
  });
});

const VIEW = "ui://app/view.html";
const LINKING: Told = {
  "tools/list": {
    tools: [
      {
        name: "show",
        inputSchema: SCHEMA,
        _meta: {
          ui: { resourceUri: VIEW, prefersBorder: true },
          "ui/resourceUri": VIEW,
          "openai/outputTemplate": VIEW,
          other: VIEW,
        },
      },
    ],
  },
  "tools/call": {
    content: [
      { type: "text", text: "demo://in/a/text" },
      { type: "resource_link", uri: "demo://a/1", name: "a", description: "kept" },
      { type: "resource", resource: { uri: "demo://a/2", text: "embedded" } },
      { type: "resource_link", uri: VIEW, name: "view" },
    ],
    _meta: { ui: { resourceUri: VIEW } },
  },
  "prompts/list": { prompts: [{ name: "p" }] },
  "prompts/get": {
    messages: [
      { role: "user", content: { type: "resource_link", uri: "demo://a/3", name: "c" } },
      { role: "user", content: { type: "resource", resource: { uri: "demo://a/4", text: "d" } } },
      { role: "user", content: { type: "text", text: "plain" } },
    ],
  },
  "resources/list": { resources: [{ uri: VIEW, name: "view" }] },
};

describe("what a result names can be read where it was named", () => {
  let stack: AsyncDisposableStack;
  const clients: Record<string, SdkClient> = {};

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const backends = { one: told("one", LINKING), two: told("two", LINKING) };
    for (const meta of [true, false]) {
      const pinned = meta ? ["two.show"] : [];
      const gateway = stack.use(await TestGateway.start({ enable_meta_mcp: meta, pinned, backends }));
      clients[meta ? "meta" : "merged"] = stack.use(await gateway.connect());
      clients[meta ? "meta two" : "merged two"] = stack.use(await gateway.connect("two"));
    }
  });

  afterAll(() => stack.disposeAsync());

  async function expectReadable({ client }: SdkClient, uri: unknown, own: string): Promise<void> {
    const { contents } = await client.readResource({ uri: String(uri) });
    expect(contents).toEqual([{ uri: String(uri), text: `two: ${own}` }]);
  }

  test.each([
    ["meta", "gateway_invoke", { server: "two", tool: "show" }],
    ["meta", "two__show", {}],
    ["merged", "two__show", {}],
  ])("on %s by %s: links, embedded resources and views", async (route, name, args) => {
    const sdk = clients[route] as SdkClient;
    const answer: Json = await sdk.client.callTool({ name, arguments: args });
    const content = answer.content as Json[];
    const embedded = content[2]?.resource as Json;
    const { ui } = answer._meta as { ui: Json };
    expect(content[0]).toEqual({ type: "text", text: "demo://in/a/text" });
    expect(content[1]).toMatchObject({ name: "a", description: "kept" });
    await expectReadable(sdk, content[1]?.uri, "demo://a/1");
    await expectReadable(sdk, embedded.uri, "demo://a/2");
    await expectReadable(sdk, content[3]?.uri, VIEW);
    await expectReadable(sdk, ui.resourceUri, VIEW);
    expect(String(ui.resourceUri)).toStartWith("ui://");
  });

  test.each(["meta", "merged"])("on %s: prompts, and the views of listed tools", async (route) => {
    const sdk = clients[route] as SdkClient;
    const { messages } = await sdk.client.getPrompt({ name: "two__p" });
    const [link, embedded, plain] = messages.map(({ content }) => content as unknown as Json);
    await expectReadable(sdk, link?.uri, "demo://a/3");
    const resource = embedded?.resource as Json;
    await expectReadable(sdk, resource.uri, "demo://a/4");
    expect(plain).toEqual({ type: "text", text: "plain" });
    const { tools: listed } = await sdk.client.listTools();
    const meta = listed.find(({ name }) => name === "two__show")?._meta ?? {};
    const ui = meta.ui as Json;
    expect(ui).toEqual({ resourceUri: expect.stringMatching(/^ui:\/\//), prefersBorder: true });
    for (const uri of [ui.resourceUri, meta["ui/resourceUri"], meta["openai/outputTemplate"]]) {
      await expectReadable(sdk, uri, VIEW);
    }
    expect(meta.other).toBe(VIEW);
    const { resources } = await sdk.client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(String(ui.resourceUri));
  });

  test("on the route of one backend everything is as the server says it", async () => {
    const { client } = clients["merged two"] as SdkClient;
    const answer = await client.callTool({ name: "show", arguments: {} });
    expect(answer).toMatchObject(LINKING["tools/call"] as Json);
    expect(allText(await client.callTool({ name: "show", arguments: {} }))).toContain("demo://in/a/text");
  });

  test("a URI as the server itself writes it is read where one backend alone lists it", async () => {
    await using run = await start({
      enable_meta_mcp: false,
      backends: { one: told("one", LINKING), other: told("other", tools("t")) },
    });
    await run.sdk.client.listResources();
    const { contents } = await run.sdk.client.readResource({ uri: VIEW });
    expect(contents).toMatchObject([{ text: `one: ${VIEW}` }]);
    await expect((clients.merged as SdkClient).client.readResource({ uri: "demo://a/1" })).rejects.toThrow(
      /Unknown resource/,
    );
  });
});
