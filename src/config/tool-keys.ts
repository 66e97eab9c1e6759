// The keys that say which tools a client sees, under which names and words, and how much of a result at once.

import { Type } from "@sinclair/typebox";
import type { Words } from "./shapes.ts";

const PINNED = "^[A-Za-z0-9._-]+\\..+$";
/** No "!" in front: a rule that means its opposite is what `deny` is for. */
const GLOB = "^[^!]";
/** What the specification lets a tool be called. */
const TOOL_NAME = "^[A-Za-z0-9_./-]{1,128}$";

function list(pattern: string, item: string, { hints, ...rest }: Words) {
  return Type.Array(Type.String({ pattern, hints: { expected: item, isShown: true } }), { ...rest, hints });
}

function byTool(value: ReturnType<typeof Type.String>, words: Words) {
  return Type.Record(Type.String({ pattern: "^." }), value, { additionalProperties: false, ...words });
}

/** Of the top level. */
export const toolKeys = {
  pinned: Type.Optional(
    list(PINNED, "server.tool", {
      description:
        "Tools, each as `server.tool`, that `/mcp` shows next to the four, just as they are, named `server__tool`.",
      hints: { expected: "a list of tools, each as server.tool" },
    }),
  ),
  max_result_tokens: Type.Optional(
    Type.Integer({
      minimum: 0,
      description:
        "`gateway_invoke` gives a longer result in parts (a token is taken for 4 characters); 0: always whole.",
      default: 20_000, // As DEFAULTS has it.
      hints: { expected: "a whole number, 0 or more", isShown: true },
    }),
  ),
};

const globs = (description: string) =>
  list(GLOB, 'a name or a pattern such as "read_*"', {
    description,
    hints: { expected: 'a list of names or patterns such as "read_*"' },
  });

/** Of one backend, on every route alike. They name the tools as the server does. */
export const ToolRulesSchema = Type.Object(
  {
    allow: Type.Optional(globs("Tools that there are; `*`, `?`, `[…]` and `{…,…}` work. Default: all.")),
    deny: Type.Optional(globs("Tools that are as if they did not exist, allowed or not.")),
    rename: Type.Optional(
      byTool(
        Type.String({
          pattern: TOOL_NAME,
          hints: { expected: 'a name of letters, digits, "_", "-", "." and "/"', isShown: true },
        }),
        {
          description: "New names, by the server's own.",
          hints: { expected: "a map from names to new names" },
        },
      ),
    ),
    describe: Type.Optional(
      byTool(Type.String({ minLength: 1, hints: { expected: "text" } }), {
        description: "Descriptions in the place of the server's, by its own names of the tools.",
        hints: { expected: "a map from names of tools to descriptions" },
      }),
    ),
  },
  {
    additionalProperties: false,
    hints: { expected: 'a map with "allow", "deny", "rename" or "describe"', listIs: "allow" },
  },
);
