// Modern requests (2026-07-28), each complete in itself. Knows neither HTTP nor stdio: an edge brings the request, what
// headers it had, and the outlet to answer by.

import type { Log } from "../log.ts";
import { strictestPolicy } from "../protocol/cache-policy.ts";
import type { Answer, Call, Caller, Watch } from "../protocol/call.ts";
import { checkMirror, type Envelope, modernCaller, type Rejection, readEnvelope } from "../protocol/era.ts";
import { changed, objectOf } from "../protocol/exact.ts";
import {
  idValue,
  isObject,
  type Json,
  type Notification,
  notification,
  type Request,
  RpcError,
} from "../protocol/jsonrpc.ts";
import {
  LEGACY_ONLY,
  LOG_LEVELS,
  META,
  Method,
  MODERN_REVISIONS,
  NOTICES,
  Notice,
  ResultType,
} from "../protocol/mcp.ts";
import { toModernAnswer } from "../protocol/modern-result.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import type { Described, Target } from "../target/target.ts";
import type { Outlet } from "./outlet.ts";
import { failed, perform } from "./perform.ts";
import type { RunningCall, RunningCalls } from "./running-calls.ts";

/** How long a client may keep the result of `server/discover`, if the server itself sets no time. */
const DISCOVER_POLICY: Json = { ttlMs: 60_000, cacheScope: "public" };

export interface ModernRequest {
  readonly message: Request;
  readonly target: Target;
  readonly principal: string;
  /** Absent on stdio, which has none. */
  readonly headers?: Headers;
  /** Whose it is, where the wire has but one client; HTTP does not tell. */
  readonly client?: string;
}

/** A request that passed says who asks. */
export type Checked = Envelope | { readonly rejection: Rejection };

let requests = 0;

export class ModernEdge {
  readonly #running: RunningCalls;
  readonly #log: Log;

  constructor(running: RunningCalls, log: Log) {
    this.#running = running;
    this.#log = log;
  }

  /** What the request says of its caller, or what is wrong with the request itself. */
  check({ message, target, headers }: ModernRequest): Checked | Promise<Checked> {
    const envelope = readEnvelope(message, headers);
    if ("rejection" in envelope) return envelope;
    if (LEGACY_ONLY.has(message.method)) return { rejection: methodNotFound(message.method) };
    if (!isKnownLevel(message)) return { rejection: unknownLevel() };
    if (headers === undefined) return envelope;
    const compare = (mirrored: readonly ParamHeader[]) => {
      const rejection = checkMirror(headers, message.method, message.params, mirrored);
      return rejection === undefined ? envelope : { rejection };
    };
    const mirrored = mirroredOf(message, target);
    return mirrored instanceof Promise ? mirrored.then(compare) : compare(mirrored);
  }

  /** Passes on a notification outside the specification. Those of the specification concern requests and are handled elsewhere. */
  notify(
    message: Notification,
    { target, principal, headers, client }: Omit<ModernRequest, "message">,
  ): void {
    if (NOTICES.has(message.method)) return;
    const envelope = readEnvelope(message, headers);
    if (!("rejection" in envelope)) target.notify(message, callerOf({ principal, client }, envelope));
  }

  /** Answers a request that passed `check`. Returns what to call when the client goes away. */
  receive(request: ModernRequest, envelope: Envelope, outlet: Outlet): () => void {
    if (request.message.method === Method.listen) return this.#listen(request, envelope, outlet);
    if (this.#running.isOurs(request.message)) return this.#resume(request, outlet);
    const running = this.#running.start(request, callerOf(request, envelope), outlet);
    void this.#run(running, request.target);
    return () => running.leave(outlet);
  }

  async #run(running: RunningCall, target: Target): Promise<void> {
    try {
      const isDiscover = running.method === Method.discover;
      const answer = isDiscover ? await this.#discover(running, target) : await target.call(running);
      const isWhole = "resultType" in answer.result;
      running.finish(isWhole ? answer : await completed(running, answer, target));
    } catch (thrown) {
      running.finish(failed(thrown, running, this.#log));
    }
  }

  #resume(request: ModernRequest, outlet: Outlet): () => void {
    try {
      const running = this.#running.resume(request, outlet);
      return () => running.leave(outlet);
    } catch (thrown) {
      outlet.finish(failed(thrown, request.message, this.#log));
      return ignore;
    }
  }

  async #discover({ caller, signal }: Call, target: Target): Promise<Answer> {
    const { clientInfo, revision } = caller;
    const { name, version } = clientInfo ?? {};
    this.#log.info("a client asks what is here", { client: name, version, revision, target: target.name });
    return { result: discoverResult(await target.describe(signal, caller)) };
  }

  /** A long request that carries what the client wants to hear of (2026-07-28, basic/patterns/subscriptions). */
  #listen(request: ModernRequest, envelope: Envelope, outlet: Outlet): () => void {
    const { message, target } = request;
    const { method, params } = message;
    const gone = new AbortController();
    const stamp = (sent: Notification) => stamped(sent, message.id);
    const call: Call = {
      method,
      ...(params === undefined ? {} : { params }),
      caller: callerOf(request, envelope),
      signal: gone.signal,
      notify: (sent) => void outlet.send(stamp(sent)),
      ask: () => Promise.reject(new RpcError(-32601, "A subscription cannot be asked.")),
    };
    let subscription: Disposable | undefined;
    let watches: readonly Watch[] = [];
    /** As opposed to a target that has ended, which the client is told. */
    let hasLeft = false;
    void perform(
      async () => {
        const wanted = await honour(request, call);
        const methods = new Set(wanted.methods);
        const subscriber = {
          key: call.caller.key,
          era: call.caller.era,
          wants: (method: string) => methods.has(method),
          deliver: (sent: Notification) => void outlet.send(stamp(sent)),
          ended: () => gone.abort(),
        };
        subscription = target.subscribe(subscriber);
        const opened = await watchAll(target, wanted.uris, subscriber, call);
        const uris = [...opened.keys()];
        watches = [...opened.values()];
        const notifications =
          uris.length > 0 ? { ...wanted.flags, resourceSubscriptions: uris } : wanted.flags;
        outlet.send(stamp(notification(Notice.listenAcknowledged, { notifications })));
        await untilAborted(gone.signal);
        return {
          result: { resultType: ResultType.complete, _meta: { [META.subscriptionId]: idValue(message.id) } },
        };
      },
      call,
      this.#log,
    ).then((outcome) => {
      subscription?.[Symbol.dispose]();
      for (const watch of watches) void watch.end().catch(ignore);
      if (hasLeft) outlet.drop(outcome);
      else outlet.finish(outcome);
    });
    return () => {
      hasLeft = true;
      gone.abort();
    };
  }
}

function callerOf(
  { principal, client }: { readonly principal: string; readonly client?: string | undefined },
  envelope: Envelope,
): Caller {
  requests += 1;
  return modernCaller(envelope, principal, client ?? `request-${requests}`);
}

/** A backend that cannot be asked for its tools will say why when it is called. */
function mirroredOf(
  { method, params }: Request,
  target: Target,
): readonly ParamHeader[] | Promise<readonly ParamHeader[]> {
  const tool = method === Method.callTool ? params?.name : undefined;
  if (typeof tool !== "string") return [];
  try {
    const known = target.paramHeaders(tool);
    return known instanceof Promise ? known.catch(() => []) : known;
  } catch {
    return [];
  }
}

/** A result of the gateway's own, or of a legacy backend, with what every modern one has. */
async function completed({ method, signal, caller }: Call, answer: Answer, target: Target): Promise<Answer> {
  const { serverInfo } = await target.describe(signal, caller);
  return toModernAnswer(method, answer, serverInfo);
}

const LIST_FLAGS = [
  ["toolsListChanged", Notice.toolsChanged, "tools"],
  ["promptsListChanged", Notice.promptsChanged, "prompts"],
  ["resourcesListChanged", Notice.resourcesChanged, "resources"],
] as const;

/** The part of the filter that this target can serve. */
async function honour({ message, target }: ModernRequest, call: Call) {
  const filter = message.params?.notifications;
  if (!isObject(filter)) throw new RpcError(-32602, 'subscriptions/listen needs the object "notifications".');
  const { capabilities } = await target.describe(call.signal, call.caller);
  const flags: Json = {};
  const methods: string[] = [];
  for (const [flag, method, capability] of LIST_FLAGS) {
    const declared = capabilities[capability];
    if (filter[flag] !== true || !isObject(declared) || declared.listChanged !== true) continue;
    flags[flag] = true;
    methods.push(method);
  }
  const { resourceSubscriptions } = filter;
  const canWatch = isObject(capabilities.resources) && capabilities.resources.subscribe === true;
  const uris = canWatch && Array.isArray(resourceSubscriptions) ? resourceSubscriptions : [];
  return { flags, methods, uris: uris.filter((uri): uri is string => typeof uri === "string") };
}

/** The watches that were opened, by URI. A resource that the backend refuses is left out of the acknowledgement. */
async function watchAll(
  target: Target,
  uris: readonly string[],
  subscriber: Parameters<Target["watch"]>[1],
  call: Call,
): Promise<ReadonlyMap<string, Watch>> {
  const open = async (uri: string) => [uri, await target.watch(uri, subscriber, call).catch(ignore)] as const;
  const opened = await Promise.all([...new Set(uris)].map(open));
  return new Map(opened.flatMap(([uri, watch]) => (watch === undefined ? [] : [[uri, watch]])));
}

function stamped({ method, params }: Notification, subscriptionId: string | number): Notification {
  const meta = objectOf(params ?? {}, "_meta") ?? {};
  const stamped = changed(meta, { [META.subscriptionId]: idValue(subscriptionId) });
  return notification(method, changed(params ?? {}, { _meta: stamped }));
}

export function discoverResult(described: Described): Json {
  const { serverInfo, instructions, introduction, revision } = described;
  const known = {
    resultType: ResultType.complete,
    supportedVersions: [...MODERN_REVISIONS],
    // Legacy tasks do not exist in 2026-07-28; the tasks extension is declared under `extensions`.
    capabilities: changed(described.capabilities, { tasks: undefined }),
  };
  if (introduction !== undefined && revision === undefined) {
    // If the server is of this era, its own result passes whole, with its cache policy.
    const meta = changed(objectOf(introduction, "_meta") ?? {}, { [META.serverInfo]: serverInfo });
    const policy = { ...DISCOVER_POLICY, ...strictestPolicy([introduction]) };
    return changed(introduction, { ...known, ...policy, _meta: meta });
  }
  return {
    ...known,
    ...(instructions === undefined ? {} : { instructions }),
    ...DISCOVER_POLICY,
    _meta: { [META.serverInfo]: serverInfo },
  };
}

function methodNotFound(method: string): Rejection {
  return { status: 404, error: { code: -32601, message: `Method not found: ${method}` } };
}

function isKnownLevel({ params }: Request): boolean {
  const level = isObject(params?._meta) ? params._meta[META.logLevel] : undefined;
  return level === undefined || level === null || LOG_LEVELS.some((known) => known === level);
}

/** A part of the envelope, like the version and the capabilities, and refused as those are. */
function unknownLevel(): Rejection {
  const message = `params._meta["${META.logLevel}"] must be one of ${LOG_LEVELS.join(", ")}.`;
  return { status: 400, error: { code: -32602, message } };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** The client has gone, or was refused: there is nothing left to do for it. */
function ignore(): void {
  // Nothing.
}
