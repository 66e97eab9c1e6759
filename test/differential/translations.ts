// What changes on the way from one era to the other, and by what right.

import { appears, isMissing, isSaid, type Listed, toLegacy, toModern } from "./listing.ts";

export const modernToLegacy: readonly Listed[] = [
  {
    name: "the lifetime of what a legacy backend gives",
    reason:
      "2026-07-28, server/utilities/caching: servers MUST include ttlMs and cacheScope; legacy has neither.",
    rows: toLegacy,
    path: /\.result\.(?:ttlMs|cacheScope)$/,
  },
  {
    name: "the name of a question",
    reason: "2025-11-25: a server's request has no key, so the gateway makes one up.",
    rows: toLegacy,
    path: /\.inputRequests\[\d\]\.key$/,
  },
  {
    name: "a state where the backend had none to carry",
    reason:
      "2026-07-28, basic/patterns/mrtr: requestState is the server's; it is how the waiting call is found.",
    rows: toLegacy,
    path: /\.result\.requestState$/,
    fits: appears,
  },
  {
    name: "who serves, on what is no result yet",
    reason: "2026-07-28, basic/index: serverInfo is a SHOULD.",
    rows: toLegacy,
    path: /\.result\._meta$/,
    fits: isMissing,
  },
  {
    name: "who serves, where the tool claims something else",
    reason: "2026-07-28, basic/index: the key is reserved; it says who the server is.",
    rows: toLegacy,
    cases: /answers _meta with a server's name$/,
    path: /\.result\._meta\.io\.modelcontextprotocol\/serverInfo/,
  },
  {
    name: "answers that are left out are asked for again",
    reason:
      "2026-07-28, basic/patterns/mrtr: a server SHOULD ask again; the SDK's takes an empty object for answers.",
    rows: toLegacy,
    cases: /: (?:fail|two, left out)$/,
    path: /^\[[1-9]\]/,
  },
  {
    name: "a legacy backend mirrors no arguments",
    reason: "2025-11-25 knows no Mcp-Param headers.",
    rows: (row) => !row.isSameEra,
    path: /\.headers\.mcp-param-/,
  },
];

/** Tools that push their question while they run. Those that end the round with it are compared between the eras. */
export const pushed: readonly Listed[] = [
  {
    name: "a server that pushes a question, which it can in its legacy era only",
    reason:
      "2026-07-28, basic/patterns/mrtr: servers send no requests; each server fails such a call in its own way.",
    rows: (row) => !row.isSameEra,
    cases: /^call test_(?:sampling|elicitation(?:_sep1034_defaults|_sep1330_enums)?): /,
    path: /^\[\d\](?:\.messages\[|$)/,
  },
];

export const legacyToModern: readonly Listed[] = [
  {
    name: "a client that cannot be asked is told so in the words of whoever found out",
    reason: "2025-11-25, server/tools: errors of tools are reported in their results, in text.",
    rows: toModern,
    cases: /a client that cannot$/,
    path: /\.(?:text|error\.message)$/,
    fits: isSaid,
  },
  {
    name: "so is one that did not answer, or was asked too often",
    reason: "2025-11-25, server/tools: errors of tools are reported in their results, in text.",
    rows: toModern,
    cases: /: (?:decline|cancel|fail|asks, declined)$/,
    path: /\.(?:text|error\.message)$/,
    fits: isSaid,
  },
  {
    name: "parameters are never absent",
    reason: "2026-07-28, basic/index: every request carries _meta, so the backend misses something else.",
    rows: toModern,
    cases: /: no params$/,
    path: /\.error\.message$/,
    fits: isSaid,
  },
  {
    name: "who serves is said once, at the handshake",
    reason: "2025-11-25, basic/lifecycle; 2026-07-28 reserves the key, which no legacy client knows.",
    rows: toModern,
    cases: /answers _meta with a server's name$/,
    path: /\.result\._meta$/,
    fits: isMissing,
  },
  {
    name: "the mode of a form need not be said",
    reason:
      "2025-11-25, client/elicitation: mode is optional and defaults to form; the SDK's old era adds it.",
    rows: (row) => !row.isSameEra,
    path: /\.params\.mode$/,
    fits: ({ direct, through }) => (direct ?? through) === "form",
  },
  {
    name: "no log lines before a level was set",
    reason:
      "2026-07-28, logging: none without a level. 2025-11-25: a server MAY decide what it sends until one is set.",
    rows: toModern,
    cases: /^(?:logs by level|call test_tool_with_logging|call test_logging_tool)/,
    path: /^\[0\]\[0\]\.|^\[0\]\.messages/,
  },
];
