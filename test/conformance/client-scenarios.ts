// What a client does in each scenario of the suite's mock servers. The same deeds prove an SDK client (direct)
// and the gateway between that client and the mock.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { postModern } from "./modern-post.ts";

export interface Stand {
  /** The mock server, or the gateway's route for it. */
  readonly url: string;
  readonly isModern: boolean;
  /** Without the gateway. */
  readonly isDirect: boolean;
  /** What the suite says to do, where it says something. */
  readonly context: unknown;
}

type Deed = (stand: Stand) => Promise<void>;

const IDENTITY = { name: "conformance-driver", version: "1.0.0" };

async function withModern(
  { url }: Stand,
  use: (client: Client) => Promise<void>,
  capabilities: ConstructorParameters<typeof Client>[1] = {},
): Promise<void> {
  const client = new Client(IDENTITY, { versionNegotiation: { mode: "auto" }, ...capabilities });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

async function withLegacy(
  { url }: Stand,
  use: (client: LegacyClient) => Promise<void>,
  options: ConstructorParameters<typeof LegacyClient>[1] = {},
): Promise<void> {
  const client = new LegacyClient(IDENTITY, options);
  await client.connect(new LegacyTransport(new URL(url)));
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

/** The few calls that both generations of SDK clients spell alike. */
interface EitherClient {
  listTools(): Promise<{ tools: { name: string; inputSchema: unknown }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
}

function withEither(stand: Stand, use: (client: EitherClient) => Promise<void>): Promise<void> {
  return stand.isModern ? withModern(stand, use) : withLegacy(stand, use);
}

function expectText(result: unknown, wanted: string): void {
  if (!JSON.stringify(result).includes(wanted))
    throw new Error(`No "${wanted}" in ${JSON.stringify(result)}`);
}

const initialize: Deed = (stand) =>
  withLegacy(stand, async (client) => {
    await client.listTools();
  });

const callTool: Deed = (stand) =>
  withEither(stand, async (client) => {
    await client.listTools();
    expectText(await client.callTool({ name: "add_numbers", arguments: { a: 5, b: 3 } }), "is 8");
  });

const sendMetadata: Deed = (stand) =>
  withModern(
    stand,
    async (client) => {
      await client.listTools();
    },
    { capabilities: { roots: {}, sampling: {}, elicitation: {} } },
  );

const sendStandardHeaders: Deed = (stand) =>
  withModern(stand, async (client) => {
    for (const { name } of (await client.listTools()).tools) await client.callTool({ name, arguments: {} });
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    for (const { name } of (await client.listPrompts()).prompts)
      await client.getPrompt({ name, arguments: {} });
  });

const ToolCalls = Type.Object({
  toolCalls: Type.Array(
    Type.Object({ name: Type.String(), arguments: Type.Record(Type.String(), Type.Unknown()) }),
  ),
});

const sendCustomHeaders: Deed = (stand) =>
  withModern(stand, async (client) => {
    await client.listTools();
    for (const call of Value.Parse(ToolCalls, stand.context).toolCalls) await client.callTool(call);
  });

const Listed = Type.Object({
  result: Type.Object({ tools: Type.Array(Type.Object({ name: Type.String() })) }),
});

/** The SDK client drops invalid tools by itself, so the gateway's own care shows only without it. */
const avoidInvalidTools: Deed = async (stand) => {
  const region = { region: "us-west1" };
  if (stand.isDirect) {
    return withModern(stand, async (client) => {
      for (const { name } of (await client.listTools()).tools)
        await client.callTool({ name, arguments: region });
    });
  }
  const { tools } = Value.Parse(Listed, await postModern(stand.url, "tools/list", {})).result;
  for (const { name } of tools) {
    await postModern(
      stand.url,
      "tools/call",
      { name, arguments: region },
      { "Mcp-Param-Region": region.region },
    );
  }
};

const carryRequestState: Deed = (stand) =>
  withModern(
    stand,
    async (client) => {
      const call = (name: string) => client.callTool({ name, arguments: {} });
      client.setRequestHandler("elicitation/create", async () => {
        // In the middle of another call's rounds: nothing of them may leak into this one.
        expectText(await call("test_mrtr_unrelated"), "unrelated-ok");
        return { action: "accept", content: { confirmed: true } };
      });
      expectText(await call("test_mrtr_echo_state"), "echo-state-ok");
      expectText(await call("test_mrtr_no_state"), "no-state-ok");
      // The SDK client refuses a modern result without its type; the gateway reads it as complete.
      if (stand.isDirect) await call("test_mrtr_no_result_type").catch(() => {});
      else expectText(await call("test_mrtr_no_result_type"), "no-result-type-test-ok");
    },
    { capabilities: { elicitation: {} } },
  );

const resumeStream: Deed = (stand) =>
  withLegacy(stand, async (client) => {
    await client.listTools();
    const result = await client.callTool({ name: "test_reconnection", arguments: {} });
    expectText(result, "completed successfully");
  });

const applyDefaults: Deed = (stand) =>
  withLegacy(
    stand,
    async (client) => {
      // The client fills in what the form proposes.
      client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: {} }));
      await client.listTools();
      const result = await client.callTool({ name: "test_client_elicitation_defaults", arguments: {} });
      expectText(result, "John Doe");
    },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
  );

const preserveSchema: Deed = (stand) =>
  withEither(stand, async (client) => {
    const { tools } = await client.listTools();
    const schema = tools.find((tool) => tool.name === "json_schema_2020_12_tool")?.inputSchema;
    await client.callTool({ name: "json_schema_echo", arguments: { schema } });
  });

const listOnly: Deed = (stand) =>
  withModern(stand, async (client) => {
    await client.listTools();
  });

export const DEEDS: Readonly<Record<string, Deed>> = {
  initialize,
  tools_call: callTool,
  "request-metadata": sendMetadata,
  "http-standard-headers": sendStandardHeaders,
  "http-custom-headers": sendCustomHeaders,
  "http-invalid-tool-headers": avoidInvalidTools,
  "sep-2322-client-request-state": carryRequestState,
  "sse-retry": resumeStream,
  "elicitation-sep1034-client-defaults": applyDefaults,
  "json-schema-2020-12-preservation": preserveSchema,
  "json-schema-ref-no-deref": listOnly,
};
