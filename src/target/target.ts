// The narrow waist: what a client can be connected to. Edges know targets and nothing behind them; targets know nothing
// of HTTP, sessions or streams.

import type { Answer, Asker, Call, Caller, Subscriber, Watch } from "../protocol/call.ts";
import type { Abortable } from "../protocol/cancellation.ts";
import type { Notification } from "../protocol/jsonrpc.ts";
import type { ServerDescription } from "../protocol/mcp.ts";
import type { ParamHeader } from "../protocol/param-headers.ts";

export interface Described extends ServerDescription {
  /** The newest legacy revision that a legacy client may be promised; undefined: any. */
  readonly revision?: string;
}

export interface Target {
  /** Unique among targets and stable over restarts: sessions are bound to it. */
  readonly name: string;
  /** How the target presents itself to this client. Rejects with GatewayError if that cannot be found out. */
  describe(signal: Abortable, asker: Asker): Promise<Described>;
  /** Throws or rejects with RpcError (data of the backend) or GatewayError (our own failure). */
  call(call: Call): Promise<Answer>;
  /** Passes on a client's notification that is no cancellation. */
  notify(notification: Notification, caller: Caller): void;
  subscribe(subscriber: Subscriber): Disposable;
  /** The caller must end the watch, with its session at the latest. Rejects as `call` does. */
  watch(uri: string, subscriber: Subscriber, call: Call): Promise<Watch>;
  /** The arguments of a tool that a modern HTTP request must mirror in headers: at once where the tool is known. */
  paramHeaders(tool: string): readonly ParamHeader[] | Promise<readonly ParamHeader[]>;
}
