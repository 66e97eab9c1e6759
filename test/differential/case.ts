// One exchange of the table: what a client sends, how it answers what it is asked, and in which era that makes sense.

import type { Era } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";

/** What the client does with a question. */
export type Manner =
  | "accept"
  | "decline"
  | "cancel"
  /** Legacy: answers the first with an error, others not at all. Modern has no error to send, and answers none. */
  | "fail"
  /** Modern: sends the state back changed, and when that was refused, as it came. */
  | "forge";

export interface Case {
  readonly name: string;
  /** Absent: it can be sent in both. */
  readonly only?: Era;
  /** The tool that it calls is offered by backends of one era alone. */
  readonly offeredIn?: Era;
  readonly method: string;
  /** Without the envelope of the modern era. */
  readonly params?: Json;
  /** Into `params._meta`. */
  readonly meta?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  /** How questions are answered; "accept" unless told. */
  readonly manner?: Manner;
  /** The client has declared no capability. */
  readonly isPlain?: boolean;
  /** What is sent as the id; a number of the player's own unless told. */
  readonly id?: string | number;
}

/** A tool call, named after the tool and what is special about it. */
export function call(tool: string, args: unknown = {}, more: Partial<Case> = {}): Case {
  const { name, ...rest } = more;
  return {
    name: name === undefined ? `call ${tool}` : `call ${tool}: ${name}`,
    method: "tools/call",
    params: { name: tool, ...(args === undefined ? {} : { arguments: args }) },
    ...rest,
  };
}

export function ask(method: string, params: Json | undefined, name: string, more: Partial<Case> = {}): Case {
  return { name: `${method}: ${name}`, method, ...(params === undefined ? {} : { params }), ...more };
}
