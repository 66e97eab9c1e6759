// Meta-MCP: four tools in the place of all. Prompts and resources are those of the merged target.

import type { Backend } from "../backend/backend.ts";
import type { Fleet } from "../backend/fleet.ts";
import type { Config } from "../config/config.ts";
import type { Log } from "../log.ts";
import type { Answer, Call, Caller, Subscriber, Watch } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import { GatewayError } from "../protocol/errors.ts";
import { changed, memberOf } from "../protocol/exact.ts";
import { isObject, type Notification, RpcError } from "../protocol/jsonrpc.ts";
import { type Implementation, Method, Notice } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";
import { describeServers, describeTool, describeTools, failed, said } from "./answers.ts";
import { type Invoking, invoke } from "./invoke.ts";
import type { LargeResults } from "./large-results.ts";
import { policyFor } from "./listed-for.ts";
import { MergedTarget, passOn, withQualifiedLinks } from "./merged.ts";
import {
  ListServersArguments,
  ListToolsArguments,
  metaToolDefinitions,
  readArguments,
  SearchArguments,
  searchLimit,
} from "./meta-tools.ts";
import { Pins } from "./pins.ts";
import { splitLoosely } from "./qualified.ts";
import type { Described, Target } from "./target.ts";
import type { ToolSearch } from "./tool-search.ts";

export interface MetaOptions {
  readonly fleet: Fleet;
  readonly identity: Implementation;
  readonly search: ToolSearch;
  readonly log: Log;

  readonly settings: MetaSettings;
  readonly results: LargeResults;
}

export type MetaSettings = Pick<Config, "pinned" | "maxResultTokens">;

export class MetaTarget implements Target {
  readonly name = "meta";
  readonly #fleet: Fleet;
  readonly #identity: Implementation;
  readonly #search: ToolSearch;
  readonly #merged: MergedTarget;
  readonly #pins: Pins;
  readonly #invoking: Invoking;

  constructor(options: MetaOptions) {
    this.#fleet = options.fleet;
    this.#identity = options.identity;
    this.#search = options.search;
    this.#merged = new MergedTarget(options);
    this.#pins = new Pins({ ...options, pinned: options.settings.pinned });
    this.#invoking = { ...options, maxResultTokens: options.settings.maxResultTokens };
  }

  async describe(): Promise<Described> {
    const { capabilities } = await this.#merged.describe();
    return {
      serverInfo: this.#identity,
      capabilities: { ...capabilities, tools: this.#pins.isEmpty ? {} : { listChanged: true } },
      instructions:
        "This gateway fronts several MCP servers. Find a tool with gateway_search_tools, then call it with " +
        "gateway_invoke, using the server, tool and arguments that the hit shows.",
    };
  }

  call(call: Call): Promise<Answer> {
    if (call.method === Method.callTool) return this.#callTool(call);
    return call.method === Method.listTools ? this.#list(call) : this.#merged.call(call);
  }

  notify(message: Notification, caller: Caller): void {
    this.#merged.notify(message, caller);
  }

  /** The four tools never change, so of the tools behind them only the pinned ones are news to a client. */
  subscribe(subscriber: Subscriber): Disposable {
    const subscriptions = new DisposableStack();
    subscriptions.use(this.#pins.subscribe(subscriber));
    subscriptions.use(
      this.#merged.subscribe({
        key: subscriber.key,
        wants: (method) => method !== Notice.toolsChanged && subscriber.wants(method),
        deliver: (message) => subscriber.deliver(message),
      }),
    );
    return subscriptions;
  }

  watch(uri: string, subscriber: Subscriber, call: Call): Promise<Watch> {
    return this.#merged.watch(uri, subscriber, call);
  }

  paramHeaders(tool: string): readonly ParamHeader[] | Promise<readonly ParamHeader[]> {
    const pin = this.#pins.find(tool);
    return pin === undefined ? [] : pin.backend.paramHeaders(pin.tool);
  }

  async #list(call: Call): Promise<Answer> {
    const pinned = await this.#pins.list(call);
    const tools = [...metaToolDefinitions(this.#names()), ...pinned];
    return { result: { tools, ...policyFor(call, this.#pins.backends) } };
  }

  /** Failures come back as results that a model can read; only a request without sense is a protocol error. */
  async #callTool(call: Call): Promise<Answer> {
    const name = call.params?.name;
    if (typeof name !== "string") throw new RpcError(-32602, 'tools/call needs the string "name".');
    const pin = this.#pins.find(name);
    if (pin !== undefined) {
      const answer = await pin.backend.call(passOn(call, changed(call.params ?? {}, { name: pin.tool })));
      return withQualifiedLinks(pin.backend, answer);
    }
    if (call.params?.requestState != null) {
      throw new RpcError(-32602, "This requestState is not one of ours, or was changed; make the call anew.");
    }
    try {
      return await this.#run(name, memberOf(call.params ?? {}, "arguments"), call);
    } catch (thrown) {
      if (call.signal.aborted) throw thrown;
      if (thrown instanceof GatewayError || (thrown instanceof RpcError && thrown.code === -32602)) {
        return failed(thrown.message);
      }
      throw thrown;
    }
  }

  #run(name: string, given: unknown, call: Call): Promise<Answer> {
    return name === "gateway_invoke" ? invoke(this.#invoking, call, given) : this.#tell(name, given, call);
  }

  async #tell(name: string, given: unknown, call: Call): Promise<Answer> {
    switch (name) {
      case "gateway_search_tools": {
        const { query, limit } = readArguments(name, SearchArguments, given);
        return said(await this.#search.answer(query, searchLimit(limit), call.signal));
      }
      case "gateway_list_servers":
        readArguments(name, ListServersArguments, given);
        return said(describeServers(this.#fleet.all()));
      case "gateway_list_tools": {
        const { server, tool } = readArguments(name, ListToolsArguments, given);
        return said(await this.#listTools(server, tool, call.signal));
      }
      default:
        return this.#callHidden(name, given, call);
    }
  }

  async #listTools(server: string, tool: string | undefined, signal: Abortable): Promise<string> {
    const backend = this.#search.requireBackend(server);
    await backend.tools(signal);
    this.#search.expectCall(backend);
    return tool === undefined
      ? describeTools(backend)
      : describeTool(backend, this.#search.requireTool(backend, tool));
  }

  /** A model that knows a tool as `server__tool` or `server.tool` may call it without the detour. */
  async #callHidden(name: string, given: unknown, call: Call): Promise<Answer> {
    const owner = await this.#merged.findTool(name, call.signal);
    const split = owner === undefined ? splitLoosely(name, this.#names()) : owner;
    if (split === undefined) throw new RpcError(-32602, this.#search.unknownToolText(undefined, name));
    const args = isObject(given) ? given : {};
    const { backend: server, name: tool } = split;
    return invoke(this.#invoking, call, { server, tool, arguments: args });
  }

  #names(): string[] {
    return this.#fleet.enabled().map(({ name }: Backend) => name);
  }
}
