// The words of MCP on the wire: revisions, methods, reserved keys, headers, error codes. Constants only, no behaviour
// beyond asking about them; it knows nothing of transports, of calls or of who asks.

import type { Json } from "./jsonrpc.ts";

/** Revisions with an `initialize` handshake, newest first. */
export const LEGACY_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
/** Revisions whose every request stands alone, newest first. */
export const MODERN_REVISIONS = ["2026-07-28"] as const;

export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];
export type ModernRevision = (typeof MODERN_REVISIONS)[number];
export type Revision = LegacyRevision | ModernRevision;

export const LATEST_LEGACY: LegacyRevision = LEGACY_REVISIONS[0];
export const LATEST_MODERN: ModernRevision = MODERN_REVISIONS[0];
/** What a legacy HTTP request without version header and without session speaks (basic/transports, 2025-06-18). */
export const ASSUMED_REVISION: LegacyRevision = "2025-03-26";

const FIRST_MODERN: ModernRevision = "2026-07-28";
const REVISION_DATE = /^\d{4}-\d{2}-\d{2}$/;

/** True for 2026-07-28 and every later revision, those that this gateway has never heard of included. */
export function isModern(revision: string): boolean {
  return REVISION_DATE.test(revision) && revision >= FIRST_MODERN;
}

export function isKnownLegacy(revision: string): revision is LegacyRevision {
  return LEGACY_REVISIONS.some((known) => known === revision);
}

export function isKnownModern(revision: string): revision is ModernRevision {
  return MODERN_REVISIONS.some((known) => known === revision);
}

/** Requests, in either direction. */
export const Method = {
  initialize: "initialize",
  ping: "ping",
  discover: "server/discover",
  listen: "subscriptions/listen",
  listTools: "tools/list",
  callTool: "tools/call",
  listPrompts: "prompts/list",
  getPrompt: "prompts/get",
  listResources: "resources/list",
  listResourceTemplates: "resources/templates/list",
  readResource: "resources/read",
  subscribe: "resources/subscribe",
  unsubscribe: "resources/unsubscribe",
  complete: "completion/complete",
  setLogLevel: "logging/setLevel",
  elicit: "elicitation/create",
  sample: "sampling/createMessage",
  listRoots: "roots/list",
  getTask: "tasks/get",
  updateTask: "tasks/update",
  cancelTask: "tasks/cancel",
  listTasks: "tasks/list",
  taskResult: "tasks/result",
} as const;

/** Notifications, in either direction. */
export const Notice = {
  initialized: "notifications/initialized",
  cancelled: "notifications/cancelled",
  progress: "notifications/progress",
  message: "notifications/message",
  toolsChanged: "notifications/tools/list_changed",
  promptsChanged: "notifications/prompts/list_changed",
  resourcesChanged: "notifications/resources/list_changed",
  resourceUpdated: "notifications/resources/updated",
  rootsChanged: "notifications/roots/list_changed",
  elicitationComplete: "notifications/elicitation/complete",
  listenAcknowledged: "notifications/subscriptions/acknowledged",
  taskStatus: "notifications/tasks/status",
  taskChanged: "notifications/tasks",
} as const;

// Sets and maps, no plain objects: they are asked with words off the wire, and "constructor" must find nothing.
type Words = ReadonlySet<string>;

/** Everything a client may ask of a server, in either era. */
export const SERVER_METHODS: Words = new Set([
  Method.initialize,
  Method.ping,
  Method.discover,
  Method.listen,
  Method.listTools,
  Method.callTool,
  Method.listPrompts,
  Method.getPrompt,
  Method.listResources,
  Method.listResourceTemplates,
  Method.readResource,
  Method.subscribe,
  Method.unsubscribe,
  Method.complete,
  Method.setLogLevel,
  Method.getTask,
  Method.updateTask,
  Method.cancelTask,
  Method.listTasks,
  Method.taskResult,
]);

/** What a server may ask of the client: real requests in legacy, entries of `inputRequests` in modern. */
export const CLIENT_METHODS: Words = new Set([Method.elicit, Method.sample, Method.listRoots]);

/** The client capability that a server's question needs. */
export const CAPABILITY_FOR: ReadonlyMap<string, string> = new Map<string, string>([
  [Method.elicit, "elicitation"],
  [Method.sample, "sampling"],
  [Method.listRoots, "roots"],
]);

/** Requests and notifications that 2026-07-28 no longer has. */
export const LEGACY_ONLY: Words = new Set([
  Method.initialize,
  Method.ping,
  Method.setLogLevel,
  Method.subscribe,
  Method.unsubscribe,
  Method.listTasks,
  Method.taskResult,
  Notice.initialized,
  Notice.rootsChanged,
  Notice.elicitationComplete,
  Notice.taskStatus,
]);

/** Requests and notifications that exist since 2026-07-28 only. */
export const MODERN_ONLY: Words = new Set([
  Method.discover,
  Method.listen,
  Method.updateTask,
  Notice.listenAcknowledged,
  Notice.taskChanged,
]);

/** The only methods whose modern result may be `input_required` (a multi round-trip request, MRTR). */
export const MAY_ASK_BACK: Words = new Set([Method.callTool, Method.getPrompt, Method.readResource]);

/** The methods whose complete modern result must carry `ttlMs` and `cacheScope`. */
export const CACHEABLE: Words = new Set([
  Method.discover,
  Method.listTools,
  Method.listPrompts,
  Method.listResources,
  Method.listResourceTemplates,
  Method.readResource,
]);

/** What a legacy client may send before or outside a session; a modern client has none and needs none. */
export const SESSIONLESS: Words = new Set([Method.initialize, Method.ping]);

/** Paged lists, and the key of the result that holds the items. */
export const LIST_KEY: ReadonlyMap<string, string> = new Map<string, string>([
  [Method.listTools, "tools"],
  [Method.listPrompts, "prompts"],
  [Method.listResources, "resources"],
  [Method.listResourceTemplates, "resourceTemplates"],
]);

/** All notifications of the specification. */
export const NOTICES: Words = new Set(Object.values(Notice));

/** "The list has changed", and the methods whose cached answer it makes stale. */
export const STALE_AFTER: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  [Notice.toolsChanged, [Method.listTools]],
  [Notice.promptsChanged, [Method.listPrompts]],
  [Notice.resourcesChanged, [Method.listResources, Method.listResourceTemplates]],
]);

/** Keys of `_meta` that the specification reserves. */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
  relatedTask: "io.modelcontextprotocol/related-task",
  progressToken: "progressToken",
} as const;

/** The envelope of a modern request: what describes this one hop and so never crosses the gateway. */
export const ENVELOPE_KEYS: readonly string[] = [
  META.protocolVersion,
  META.clientCapabilities,
  META.clientInfo,
  META.logLevel,
];

/** The extension that modern tasks live in. */
export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

export const ResultType = { complete: "complete", inputRequired: "input_required", task: "task" } as const;

/** Keys of a modern result that a legacy client does not know; strict ones refuse them. */
export const MODERN_RESULT_KEYS: readonly string[] = ["resultType", "ttlMs", "cacheScope"];

/** Error codes that MCP adds to JSON-RPC. */
export const McpErrorCode = {
  /** Modern: a required header is missing, malformed or differs from the body. */
  headerMismatch: -32020,
  /** Modern: `data.requiredCapabilities` says what the client would have to declare. */
  missingCapability: -32021,
  /** Modern: `data` is `{ supported, requested }`. */
  unsupportedVersion: -32022,
  /** Legacy only; a modern server says -32602. */
  resourceNotFound: -32002,
  /** Legacy only; a modern server answers `input_required`. */
  urlElicitationRequired: -32042,
} as const;

/** Modern errors that describe one hop: they prove the era of the peer and are never passed on. */
export const HOP_ERRORS: ReadonlySet<number> = new Set([
  McpErrorCode.headerMismatch,
  McpErrorCode.missingCapability,
  McpErrorCode.unsupportedVersion,
]);

export const Header = {
  protocolVersion: "MCP-Protocol-Version",
  sessionId: "Mcp-Session-Id",
  method: "Mcp-Method",
  name: "Mcp-Name",
  /** Followed by the value of the property's `x-mcp-header`. */
  paramPrefix: "Mcp-Param-",
  lastEventId: "Last-Event-ID",
  /** The ids of the gateways that a request has passed. */
  via: "Mcp-Gateway-Via",
} as const;

/** Modern methods that need an `Mcp-Name` header, and the parameter that it repeats. */
export const NAMED_BY: ReadonlyMap<string, string> = new Map<string, string>([
  [Method.callTool, "name"],
  [Method.getPrompt, "name"],
  [Method.readResource, "uri"],
  [Method.getTask, "taskId"],
  [Method.updateTask, "taskId"],
  [Method.cancelTask, "taskId"],
]);

/** Severity words of `notifications/message`, least severe first. */
export const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;

/** A program's name card. Peers add more keys; they pass as they are. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly [more: string]: unknown;
}

/** Declared capabilities, of a client or a server. */
export type Capabilities = Json;

/** How a server presents itself, in `initialize` and `server/discover` alike. */
export interface ServerDescription {
  readonly serverInfo: Implementation;
  readonly capabilities: Capabilities;
  readonly instructions?: string;
  /** The whole result of `initialize` or `server/discover`, if this describes one server. */
  readonly introduction?: Json;
}
