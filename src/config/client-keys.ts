// The keys of clients' files that are not ours. Limits are kept: as rules for tools, by leaving a server out, or by not
// starting a server that would run without its protection. All other keys get a note: no effect, and what to do instead.

import { Type } from "@sinclair/typebox";

const SIGN_IN = "the gateway does not sign in to servers; put a token under headers";
const APPROVAL = "the gateway does not ask before calls; allow the gateway's tools in the client";
const ELSEWHERE = "it is a setting of another program";

/** Keys of a server without effect, each with the reason. */
const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ["alwaysAllow", APPROVAL],
  ["alwaysLoad", ELSEWHERE],
  ["auth", SIGN_IN],
  ["authProviderType", SIGN_IN],
  ["autoApprove", APPROVAL],
  ["dev", ELSEWHERE],
  ["envFile", "the file is not read; put its variables under env"],
  ["gallery", ELSEWHERE],
  ["headersHelper", "the program is not run; put the headers under headers"],
  ["icon", ELSEWHERE],
  ["name", ELSEWHERE],
  ["oauth", SIGN_IN],
  ["sandbox", "it belongs to sandboxEnabled"],
  ["timeout", "clients count it in different units; set request_timeout"],
  ["trust", APPROVAL],
  ["version", ELSEWHERE],
  ["watchPaths", ELSEWHERE],
]);

export function whyWithoutEffect(key: string): string | undefined {
  return WITHOUT_EFFECT.get(key);
}

/** Clients keep other settings beside `mcpServers`, and `inputs` beside `servers`. */
export function whyWithoutEffectAtTop(key: string, present: ReadonlySet<string>): string | undefined {
  return key === "inputs" || present.has("mcpServers") ? ELSEWHERE : undefined;
}

function toolNames(aliasOf: string) {
  return Type.Optional(
    Type.Array(Type.String({ pattern: "^[^!]", hints: { expected: "a tool's name", isShown: true } }), {
      description: `\`${aliasOf}\`, as clients write it.`,
      hints: { aliasOf, expected: "a list of tools' names" },
    }),
  );
}

/** Clients' names for `tools.allow` and `tools.deny`, and the sandbox, which the gateway does not have. */
export const clientKeys = {
  includeTools: toolNames("tools.allow"),
  enabledTools: toolNames("tools.allow"),
  enabled_tools: toolNames("tools.allow"),
  allowedTools: toolNames("tools.allow"),
  excludeTools: toolNames("tools.deny"),
  disabledTools: toolNames("tools.deny"),
  disabled_tools: toolNames("tools.deny"),
  sandboxEnabled: Type.Optional(
    Type.Boolean({
      description: "Of VS Code. The gateway has no sandbox: a server that asks for one is not started.",
      hints: { expected: "true or false", isShown: true, isForeign: true },
    }),
  ),
};

function names(description: string) {
  return Type.Optional(
    Type.Array(Type.String(), {
      description,
      hints: { expected: "a list of servers' names", isForeign: true },
    }),
  );
}

/** Keys of a whole file that say which of its servers are used. */
export const clientTopKeys = {
  disabledMcpServers: names("Of Claude Code: servers that are left out."),
  disabledMcpjsonServers: names("Of Claude Code: servers that are left out."),
  mcp: Type.Optional(
    Type.Object(
      { allowed: names("The only servers in use."), excluded: names("Servers that are left out.") },
      {
        additionalProperties: false,
        description: "Of Gemini CLI: which servers are in use.",
        hints: {
          isForeign: true,
          expected: 'a map with "allowed" or "excluded"',
          tolerates: () => ELSEWHERE,
        },
      },
    ),
  ),
};

interface ClientTop {
  readonly disabledMcpServers?: string[];
  readonly disabledMcpjsonServers?: string[];
  readonly mcp?: { readonly allowed?: string[]; readonly excluded?: string[] };
}

/** The key that leaves this server out; undefined if none does. */
export function leftOutBy(name: string, top: ClientTop): string | undefined {
  if (top.disabledMcpServers?.includes(name) === true) return "disabledMcpServers";
  if (top.disabledMcpjsonServers?.includes(name) === true) return "disabledMcpjsonServers";
  if (top.mcp?.excluded?.includes(name) === true) return "mcp.excluded";
  return top.mcp?.allowed?.includes(name) === false ? "mcp.allowed" : undefined;
}

const MAX_NAME_LENGTH = 64;
const TAG_LENGTH = 4;

/**
 * A name that routes and tools can use, for a server with another name in a client's file. The result depends only on the
 * written name. Names that lose letters get a tag, so that two of them do not collide.
 */
export function safeName(written: string, isGood: (name: string) => boolean): string {
  const plain = written
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\w.-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, MAX_NAME_LENGTH);
  const hasLostLetters = /[^\p{ASCII}]/u.test(written.normalize("NFKD").replaceAll(/\p{M}/gu, ""));
  if (!hasLostLetters && isGood(plain)) return plain;
  const tag = Bun.hash.crc32(written).toString(16).padStart(8, "0");
  const base = plain === "" ? "server" : plain.slice(0, MAX_NAME_LENGTH - tag.length - 1);
  const short = `${base}-${tag.slice(0, TAG_LENGTH)}`;
  return isGood(short) ? short : `${base}-${tag}`;
}
