// What a demo tool is: a definition that clients see, and a function whose arguments have been checked against it.

import type { Tool as ToolDefinition } from "@modelcontextprotocol/sdk/types.js";
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { Value, ValueErrorType } from "@sinclair/typebox/value";

/** The one call that a tool is working on. */
export interface ToolCall {
  readonly signal: AbortSignal;
  progress(done: number, total: number, message: string): Promise<void>;
}

/** A text, or an object as the tool's output schema describes it. */
export type ToolReply = string | Record<string, unknown>;

export interface ToolSpec<Input extends TObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output?: TObject;
  readonly annotations: NonNullable<ToolDefinition["annotations"]>;
  run(args: Static<Input>, call: ToolCall): ToolReply | Promise<ToolReply>;
}

export interface Tool {
  readonly definition: ToolDefinition;
  /** Throws a ToolError where the caller can do better. */
  call(args: unknown, call: ToolCall): Promise<ToolReply>;
}

/** What was asked for cannot be had; the message says what can. */
export class ToolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ToolError";
  }
}

export function defineTool<Input extends TObject>(spec: ToolSpec<Input>): Tool {
  const { name, title, description, input, output, annotations } = spec;
  return {
    definition: {
      name,
      title,
      description,
      inputSchema: { ...input, type: "object" },
      ...(output === undefined ? {} : { outputSchema: { ...output, type: "object" } }),
      // Nothing here reaches beyond this process.
      annotations: { openWorldHint: false, ...annotations },
    },
    async call(args, call) {
      if (!Value.Check(input, args)) throw new ToolError(describeMismatch(name, input, args));
      return await spec.run(args, call);
    },
  };
}

const WORDS: ReadonlyMap<ValueErrorType, string> = new Map([
  [ValueErrorType.ObjectRequiredProperty, "is missing"],
  [ValueErrorType.ObjectAdditionalProperties, "is not an argument of it"],
]);

/** Every mistake at once, then what the tool takes: enough to get the next call right. */
function describeMismatch(name: string, input: TObject, args: unknown): string {
  const mistakes = new Map<string, string>();
  for (const { path, message, type } of Value.Errors(input, args)) {
    const argument = path === "" ? "the arguments" : `"${path.slice(1)}"`;
    if (!mistakes.has(argument))
      mistakes.set(argument, `${argument} ${WORDS.get(type) ?? `is wrong: ${message.toLowerCase()}`}`);
  }
  const required = new Set(input.required ?? []);
  const takes = Object.entries<TSchema>(input.properties).map(
    ([key, { type, description }]) =>
      `- ${key} (${type}${required.has(key) ? "" : ", optional"}): ${description}`,
  );
  return [`Wrong arguments for ${name}: ${[...mistakes.values()].join("; ")}.`, "It takes:", ...takes].join(
    "\n",
  );
}
