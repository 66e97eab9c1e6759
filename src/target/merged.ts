// All backends as one server, under qualified names. Knows nothing of the four meta-tools.

import { type Backend, PARAM_HEADERS_DEADLINE_MS } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { Log } from "../log.ts";
import {
  type Answer,
  type Call,
  type Caller,
  reworded,
  type Subscriber,
  type Watch,
} from "../protocol/call.ts";
import { type Abortable, signalOf } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";
import { changed, itemsOf, memberOf, objectOf } from "../protocol/exact.ts";
import { type Json, type Notification, notification, RpcError } from "../protocol/jsonrpc.ts";
import { type Implementation, LIST_KEY, Method, NOTICES, Notice } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { listedFor, policyFor } from "./listed-for.ts";
import {
  possibleOwners,
  qualification,
  qualifyItem,
  qualifyLinks,
  qualifyUri,
  splitUri,
} from "./qualified.ts";
import { Sharing } from "./sharing.ts";
import type { Described, Target } from "./target.ts";

/** A backend that does not answer within this time is left out of a list, and comes in with its list_changed. */
const LIST_DEADLINE_MS = 15_000;

export interface MergedOptions {
  readonly fleet: Fleet;
  readonly identity: Implementation;
  readonly log: Log;
}

export class MergedTarget implements Target {
  readonly name = "merged";
  readonly #fleet: Fleet;
  readonly #identity: Implementation;
  readonly #sharing: Sharing;

  constructor({ fleet, identity, log }: MergedOptions) {
    this.#fleet = fleet;
    this.#identity = identity;
    this.#sharing = new Sharing(log);
  }

  describe(): Promise<Described> {
    const names = this.#fleet.enabled().map(({ name }) => name);
    return Promise.resolve({
      serverInfo: this.#identity,
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      instructions: `Tools of ${names.length} servers (${names.join(", ")}), each named server__tool.`,
    });
  }

  async call(call: Call): Promise<Answer> {
    switch (call.method) {
      case Method.listTools:
      case Method.listPrompts:
      case Method.listResources:
      case Method.listResourceTemplates:
        return { result: await this.#list(call) };
      case Method.callTool:
        return this.#callNamed(call, Method.listTools, "tool");
      case Method.getPrompt:
        return this.#callNamed(call, Method.listPrompts, "prompt");
      case Method.readResource:
        return this.#read(call);
      case Method.complete:
        return this.#complete(call);
      default:
        throw new RpcError(-32601, `Method not found: ${call.method}`);
    }
  }

  /** Notifications outside the specification name no backend, so they are dropped. */
  notify(message: Notification, caller: Caller): void {
    if (!NOTICES.has(message.method)) return;
    for (const backend of this.#fleet.all()) backend.notify(message, caller);
  }

  subscribe(subscriber: Subscriber): Disposable {
    return this.#fleet.subscribe((backend) => qualifyingSubscriber(backend.name, subscriber));
  }

  async watch(uri: string, subscriber: Subscriber, call: Call): Promise<Watch> {
    const { backend, uri: own } = this.#ownerOf(uri);
    return await backend.watch(own, qualifyingSubscriber(backend.name, subscriber), call);
  }

  async paramHeaders(tool: string): Promise<readonly ParamHeader[]> {
    const owner = await this.#find(tool, Method.listTools, AbortSignal.timeout(PARAM_HEADERS_DEADLINE_MS));
    return owner === undefined ? [] : owner.backend.paramHeaders(owner.name);
  }

  /** The tool behind a qualified name, shortened ones too, where a list has it. Rejects as `Backend.list`. */
  async findTool(
    qualified: string,
    signal: Abortable,
  ): Promise<{ backend: string; name: string } | undefined> {
    const owner = await this.#find(qualified, Method.listTools, signal);
    return owner === undefined ? undefined : { backend: owner.backend.name, name: owner.name };
  }

  /**
   * The backend and its own name for a qualified name. The listed form comes first, then the form without a hash. Reads the
   * unknown lists of backends whose name the qualified name begins with.
   */
  async #find(
    qualified: string,
    method: string,
    signal: Abortable,
  ): Promise<{ backend: Backend; name: string } | undefined> {
    const possible = possibleOwners(qualified, this.#fleet.names).map((name) => this.#fleet.get(name));
    const asked = new Set(possible.filter((backend) => backend !== undefined));
    let loose: { backend: Backend; name: string } | undefined;
    let failure: { readonly thrown: unknown } | undefined;
    for (const backend of new Set([...asked, ...this.#fleet.enabled()])) {
      try {
        const items = asked.has(backend)
          ? await backend.glance(method, signal)
          : backend.catalog.list(method);
        const named = ownName(qualified, backend.name, items ?? []);
        if (named?.how === "exact") return { backend, name: named.name };
        if (named !== undefined) loose ??= { backend, name: named.name };
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
    if (loose === undefined && failure !== undefined) throw failure.thrown;
    return loose;
  }

  async #callNamed(call: Call, listMethod: string, what: string): Promise<Answer> {
    const qualified = call.params?.name;
    if (typeof qualified !== "string") throw new RpcError(-32602, `${call.method} needs the string "name".`);
    const owner = await this.#find(qualified, listMethod, call.signal);
    if (owner === undefined) throw new RpcError(-32602, `Unknown ${what}: ${qualified}`);
    const answer = await owner.backend.call(passOn(call, changed(call.params ?? {}, { name: owner.name })));
    return withQualifiedLinks(owner.backend, answer);
  }

  async #read(call: Call): Promise<Answer> {
    const { uri } = call.params ?? {};
    if (typeof uri !== "string") throw new RpcError(-32602, 'resources/read needs the string "uri".');
    const owner = this.#ownerOf(uri);
    const { result } = await owner.backend.call(passOn(call, changed(call.params ?? {}, { uri: owner.uri })));
    const listed = memberOf(result, "contents");
    if (!Array.isArray(listed)) return { result };
    const contents = itemsOf(listed).map((content) => qualifyItem(owner.backend.name, content));
    return { result: changed(result, { contents }) };
  }

  async #complete(call: Call): Promise<Answer> {
    const params = call.params ?? {};
    const ref = objectOf(params, "ref");
    if (ref === undefined) throw new RpcError(-32602, 'completion/complete needs the object "ref".');
    if (typeof ref.uri === "string") {
      const { backend, uri } = this.#ownerOf(ref.uri);
      return backend.call(passOn(call, changed(params, { ref: changed(ref, { uri }) })));
    }
    const { name } = ref;
    if (typeof name !== "string") throw new RpcError(-32602, 'The "ref" needs the string "name" or "uri".');
    const owner = await this.#find(name, Method.listPrompts, call.signal);
    if (owner === undefined) throw new RpcError(-32602, `Unknown prompt: ${name}`);
    return owner.backend.call(passOn(call, changed(params, { ref: changed(ref, { name: owner.name }) })));
  }

  #ownerOf(qualified: string): { backend: Backend; uri: string } {
    const split = splitUri(qualified) ?? this.#listedAs(qualified);
    const backend = split === undefined ? undefined : this.#fleet.get(split.backend);
    if (split === undefined || backend === undefined) {
      throw new RpcError(-32602, `Unknown resource: ${qualified} (they are named gateway:server:uri here)`);
    }
    return { backend, uri: split.uri };
  }

  /** The only backend that lists a resource under this URI: texts of servers contain the server's own URIs. */
  #listedAs(uri: string): { backend: string; uri: string } | undefined {
    const owners = this.#fleet
      .enabled()
      .filter(({ catalog }) => catalog.list(Method.listResources)?.some((resource) => resource.uri === uri));
    return owners[0] === undefined || owners.length > 1 ? undefined : { backend: owners[0].name, uri };
  }

  /** One list over all backends. Those that were never asked are asked now, side by side, within a deadline. */
  async #list(call: Call): Promise<Json> {
    const key = LIST_KEY.get(call.method) ?? "";
    const deadline = AbortSignal.any([signalOf(call.signal), AbortSignal.timeout(LIST_DEADLINE_MS)]);
    const lists = await Promise.all(
      this.#fleet.enabled().map(async (backend) => {
        const items = await backend.glance(call.method, deadline).catch(() => []);
        return { backend, items: listedFor(call, backend, key, items) };
      }),
    );
    const items = this.#sharing.shared(key, lists, call.caller.era);
    return { [key]: items, ...policyFor(call, this.#fleet.enabled()) };
  }
}

/** The backend's own name for a qualified name. */
function ownName(
  qualified: string,
  backend: string,
  items: readonly Json[],
): { readonly how: "exact" | "loose"; readonly name: string } | undefined {
  let loose: string | undefined;
  for (const { name } of items) {
    const how = typeof name === "string" ? qualification(qualified, backend, name) : undefined;
    if (how === undefined || typeof name !== "string") continue;
    if (how === "exact") return { how, name };
    loose ??= name;
  }
  return loose === undefined ? undefined : { how: "loose", name: loose };
}

/** The same call with other params: who asks, and how it is reached, stays. */
export function passOn(call: Call, params: Json): Call {
  return reworded(call, { params, passesRounds: true });
}

/** The answer to a tool call or a prompt, with URIs that can be read on a route that serves many backends. */
export function withQualifiedLinks({ name }: Backend, answer: Answer): Answer {
  const result = qualifyLinks(name, answer.result);
  return result === answer.result ? answer : { result };
}

function qualifyingSubscriber(backend: string, subscriber: Subscriber): Subscriber {
  return {
    key: subscriber.key,
    wants: (method) => subscriber.wants(method),
    deliver: (message) => {
      const uri = message.params?.uri;
      const isUpdate = message.method === Notice.resourceUpdated && typeof uri === "string";
      const params = message.params ?? {};
      const qualified = isUpdate ? changed(params, { uri: qualifyUri(backend, uri) }) : message.params;
      subscriber.deliver(notification(message.method, qualified));
    },
  };
}

/** What a client is told that names a backend which is not there. */
export function unknownBackend(name: string, known: readonly string[]): GatewayError {
  const list = known.length === 0 ? "none is configured" : `known are ${known.join(", ")}`;
  return new GatewayError("unknown-backend", `Unknown server "${name}"; ${list}.`);
}
