// The four meta-tools as a client sees them, and what their arguments must be. Their definitions are all that a model
// carries, so every word here is paid for in each request: a test counts the tokens.

import { type Static, Type } from "@sinclair/typebox";
import { TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { isEmptyList, isObject, RpcError } from "../protocol/jsonrpc.ts";

const DEFAULT_SEARCH_LIMIT = 5;
const MAX_SEARCH_LIMIT = 50;
/** Characters that the names of the servers may take in the definitions. */
const NAMES_BUDGET = 240;

const Server = Type.String();

export const SearchArguments = Type.Object({
  query: Type.String(),
  limit: Type.Optional(Type.Integer()),
});

export const InvokeArguments = Type.Object({
  server: Server,
  tool: Type.String(),
  arguments: Type.Optional(Type.Object({})),
  select: Type.Optional(Type.String({ description: "JMESPath" })),
  max_tokens: Type.Optional(Type.Integer()),
  cursor: Type.Optional(Type.String({ description: "of a cut result" })),
});

/** With a cursor that gateway_invoke gave, nothing else is needed. */
export const ReadOnArguments = Type.Pick(InvokeArguments, ["max_tokens", "cursor"]);

export const ListToolsArguments = Type.Object({
  server: Server,
  tool: Type.Optional(Type.String({ description: "for its full schema" })),
});

export const ListServersArguments = Type.Object({});

/** Stated limits would cost more than they are worth: a number beyond them is taken for the nearest that works. */
export function searchLimit(limit: number = DEFAULT_SEARCH_LIMIT): number {
  return Math.min(Math.max(limit, 1), MAX_SEARCH_LIMIT);
}

export interface MetaTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: object;
  readonly annotations?: object;
  readonly _meta: object;
}

/** Without this, Claude Code hides the four tools behind its own tool search. */
const ALWAYS_LOAD = { "anthropic/alwaysLoad": true };

/** The definitions, the same from one request to the next as long as the servers are the same. */
export function metaToolDefinitions(servers: readonly string[]): MetaTool[] {
  const definitions: Omit<MetaTool, "_meta">[] = [
    {
      name: "gateway_search_tools",
      description:
        `Find tools on the connected servers${nameServers(servers)}. Search before you say that something cannot be done. ` +
        "One need per query; each hit is a signature ready for gateway_invoke.",
      inputSchema: SearchArguments,
      annotations: { readOnlyHint: true },
    },
    {
      name: "gateway_invoke",
      description:
        "Call a tool of a server. For the hit `server.tool(arg: type)` pass server, tool and arguments.",
      inputSchema: InvokeArguments,
    },
    {
      name: "gateway_list_servers",
      description: "List the servers and what each is for.",
      inputSchema: ListServersArguments,
      annotations: { readOnlyHint: true },
    },
    {
      name: "gateway_list_tools",
      description: "List the tools of one server.",
      inputSchema: ListToolsArguments,
      annotations: { readOnlyHint: true },
    },
  ];
  return definitions.map((definition) => ({ ...definition, _meta: ALWAYS_LOAD }));
}

/** As many names as the budget holds, in the order of the configuration. */
function nameServers(servers: readonly string[]): string {
  if (servers.length === 0) return "";
  const named: string[] = [];
  let length = 0;
  for (const server of servers) {
    length += server.length + 2;
    if (length > NAMES_BUDGET) break;
    named.push(server);
  }
  const rest = servers.length - named.length;
  return ` (${named.join(", ")}${rest > 0 ? `, ${rest} more` : ""})`;
}

/** The arguments of a meta-tool, or an error that a model can act on. */
export function readArguments<S extends ReturnType<typeof Type.Object>>(
  tool: string,
  schema: S,
  value: unknown,
): Static<S> {
  // Many serializers write null for an absent argument, and PHP writes [] for an empty object.
  const given = withoutNulls(isEmptyList(value) ? {} : (value ?? {}));
  if (checkOf(schema).Check(given)) return given;
  const problem = Value.Errors(schema, given).First();
  const where = problem?.path.slice(1).replaceAll("/", ".") ?? "";
  const what =
    where === "" ? "the arguments are not an object" : `"${where}": ${problem?.message ?? "invalid"}`;
  throw new RpcError(-32602, `${tool}: ${what}. Example: ${EXAMPLES.get(tool) ?? "{}"}`);
}

function withoutNulls(value: unknown): unknown {
  if (!isObject(value) || !Object.values(value).includes(null)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

const checks = new WeakMap<object, unknown>();

/** Compiled when it is first needed: that takes as long as some hundred checks that are not. */
function checkOf<S extends ReturnType<typeof Type.Object>>(schema: S): TypeCheck<S> {
  const known = checks.get(schema);
  if (known instanceof TypeCheck) return known;
  const compiled = TypeCompiler.Compile(schema);
  checks.set(schema, compiled);
  return compiled;
}

const EXAMPLES: ReadonlyMap<string, string> = new Map([
  ["gateway_search_tools", '{"query": "create a calendar event", "limit": 5}'],
  ["gateway_invoke", '{"server": "files", "tool": "read_file", "arguments": {"path": "notes.txt"}}'],
  ["gateway_list_tools", '{"server": "files"}'],
]);
