// What search knows of a tool and its server, as it came off the wire: of the fields' shapes nothing is certain.

import type { Json } from "../protocol/jsonrpc.ts";

export interface ToolDoc {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema?: Json;
  readonly outputSchema?: Json;
  readonly annotations?: Json;
}

export interface ServerDoc {
  readonly name: string;
  readonly description?: string;
  readonly tools: readonly ToolDoc[];
}

/** The first `longest` characters of what should be a text; nothing of anything else. */
export function textOf(value: unknown, longest = 2_000): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}
