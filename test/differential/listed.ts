// Every way in which what a client hears through the gateway may differ from what it hears of the backend itself, and
// by what right. A difference that stands here and no longer occurs fails the test.

import type { Difference } from "./compare.ts";
import { isMissing, isPlain, isSaid, isTo, type Listed, toModern } from "./listing.ts";
import { isHttp, type Row } from "./rows.ts";
import { legacyToModern, modernToLegacy, pushed } from "./translations.ts";

/** What holds whatever the eras are. */
const everywhere: readonly Listed[] = [
  {
    name: "plain JSON where the SDK opens a stream for one message",
    reason:
      "2025-11-25, basic/transports: the server MUST return either text/event-stream or application/json.",
    path: /\.(?:type|framing)$/,
    fits: (difference) => isMissing(difference) || isPlain(difference),
  },
  {
    name: "the words of errors that the gateway answers itself",
    reason: "JSON-RPC 2.0, 5.1: message is a short description for people; the code is what is compared.",
    cases:
      /^(?:raw: |logging\/setLevel: |resources\/(?:un)?subscribe: |subscriptions\/listen: |a level that is none)|: (?:removed|of the other era)$|^a forged state$/,
    path: /\.error\.message$/,
    fits: isSaid,
  },
  {
    name: "the SDK's own data beside errors of the envelope and the headers",
    reason: "2026-07-28, basic/index, Error Codes: data is described for -32021 and -32022 alone.",
    path: /\.error\.data$/,
    fits: ({ direct, through }) =>
      through === undefined && /"(?:envelope|mismatch|reason)":/.test(JSON.stringify(direct)),
  },
];

/** What the gateway answers in the place of the backend. */
const answered: readonly Listed[] = [
  {
    name: "the lifetime of what the gateway says of a backend",
    reason:
      "2026-07-28, server/utilities/caching: servers MUST include the hints; server/discover is answered by the gateway.",
    rows: ({ era }) => era === "modern",
    cases: /^server\/discover/,
    path: /\.result\.(?:ttlMs|cacheScope)$/,
  },
  {
    name: "invalid parameters, where the SDK lets its validator's failure be an internal error",
    reason:
      "2025-11-25, server/utilities/logging: an invalid level is -32602; JSON-RPC 2.0, 5.1: so are other invalid parameters.",
    cases: /^(?:logging\/setLevel|resources\/(?:un)?subscribe): /,
    path: /\.error\.code$/,
    fits: isTo(-32603, -32602),
  },
  {
    name: "a handshake without a revision is answered with the newest one",
    reason:
      "2025-11-25, basic/lifecycle: a server answers what it does not support with a version of its own.",
    cases: /^initialize at no revision$/,
    path: /\.(?:status|error|id|result)$/,
  },
  {
    name: "the client's capabilities are the gateway's to a backend that is told only once",
    reason:
      "2025-11-25, basic/lifecycle: capabilities are negotiated once per session, and one session serves all clients.",
    rows: ({ backend, era }) => backend.endsWith("legacy") || (backend.endsWith("both") && era === "legacy"),
    cases: /a client that cannot$/,
    path: /\.(?:text|isError|status|result|error|error\.(?:code|message|data\.requiredCapabilities\.\w+))$/,
  },
  {
    name: "a client is not asked for what it has not declared",
    reason:
      "2025-11-25, client/sampling: clients MUST declare the capability; the SDK's server asks all the same.",
    rows: ({ era, isSameEra }) => era === "legacy" && isSameEra,
    cases: /^call test_sampling: by a client that cannot$/,
    path: /\.messages\[\d\](?:\.(?:method|params|id))?$/,
  },
  {
    name: "the reason why a question is taken back, where the gateway does it",
    reason: "2025-11-25, basic/utilities/cancellation: reason is an optional text.",
    rows: toModern,
    path: /\.params\.reason$/,
    fits: isSaid,
  },
];

/** Streamable HTTP as the gateway serves it: always both eras, sessions that say what they are, lenient about Accept. */
const http: readonly Listed[] = [
  {
    name: "JSON that is no message is an invalid request",
    reason: "JSON-RPC 2.0, 5.1: -32700 is for text that is not JSON, -32600 for JSON that is no request.",
    cases: /^raw: /,
    path: /\.error\.code$/,
    fits: isTo(-32700, -32600),
  },
  {
    name: "errors about a request name its id",
    reason: "JSON-RPC 2.0, 5: the id is that of the request, and null only where it could not be told.",
    cases: /^raw: /,
    path: /\.id$/,
    fits: isTo(null, 1),
  },
  {
    name: "errors about what is no request name none",
    reason: "JSON-RPC 2.0, 5: the id of the answer to an invalid request MUST be null.",
    cases: /^raw: (?:no jsonrpc|jsonrpc 1.0|id with a fraction|method is a number)$/,
    path: /\.id$/,
    fits: ({ through }) => through === null,
  },
  {
    name: "an empty list in the place of params means none",
    reason: "PHP's serializer writes an empty object as a list; the meaning is beyond doubt.",
    cases: /^raw: params are a list$/,
    path: /\.(?:status|error|result|id)$/,
  },
  {
    name: "an empty batch is refused",
    reason: "JSON-RPC 2.0, 6: an array that is not one with at least one value is an invalid request.",
    cases: /^raw: an empty batch$/,
    path: /^\.(?:status|type|body)/,
  },
  {
    name: "clients that list too little in Accept are answered in JSON",
    reason:
      "2025-11-25, basic/transports: the demand is on the client; nothing says that a server must refuse it.",
    cases: /^raw: accepts /,
    path: /^\.(?:status|body\[0\]\.(?:error|result|id))/,
  },
  {
    name: "GET without a session is no stream",
    reason:
      "2025-11-25, basic/transports: the server MUST return text/event-stream or 405; 400 is for what needs a session.",
    cases: /^raw: GET without a session$/,
    path: /^\.(?:status|allow)$/,
  },
  {
    name: "the methods of an endpoint of both eras",
    reason:
      "2026-07-28, streamable-http, Backward Compatibility: a server that serves older clients hosts both.",
    rows: ({ era }) => era === "modern",
    cases: /^raw: (?:GET|DELETE)$/,
    path: /^\.(?:status|allow)$/,
  },
  {
    name: "a header for an argument that is not there is refused",
    reason:
      "2026-07-28, streamable-http, Server Validation: servers MUST reject headers that do not match the body.",
    cases: /^raw: a mirrored argument that is not there$/,
    path: /^\.(?:status|body\[0\]\.(?:result|error))$/,
  },
  {
    name: "a subscription to nothing stays open",
    reason: "2026-07-28, basic/patterns/subscriptions: a server MAY end one; nothing says that it must.",
    cases: /^filters of subscriptions$/,
    path: /\.heard\[1\]$/,
    fits: isMissing,
  },
];

const RESERVED = /fails a code (?:of the|that one era had)/;

/** Codes that the specification has taken, from tools that mean something of their own by them. */
const codes: readonly Listed[] = [
  {
    name: "the status of a code that the specification has taken",
    reason: "2026-07-28, basic/index, Error Codes: the status goes with the code; -32020 and -32022 are 400.",
    rows: ({ era, isSameEra }) => era === "modern" && isSameEra,
    cases: RESERVED,
    path: /\.status$/,
    fits: isTo(200, 400),
  },
  {
    name: "a code that would say something else to the other era",
    reason:
      "2026-07-28, basic/index, Error Codes: -32020 to -32022 speak of the hop, and -32042 MUST NOT be emitted.",
    rows: (row) => !row.isSameEra,
    cases: RESERVED,
    path: /\.error\.(?:code|message|data)$/,
    fits: (difference) => !difference.path.endsWith("code") || difference.through === -32603,
  },
];

export const LISTED: readonly Listed[] = [
  ...everywhere,
  ...answered,
  ...http,
  ...codes,
  ...modernToLegacy,
  ...legacyToModern,
  ...pushed,
];

/** The statuses and framing of a wire without them are nobody's difference. */
export function isComparable(row: Row, { path }: Difference): boolean {
  return isHttp(row) || !/\]\.(?:status|type|framing)$/.test(path);
}

export function covers(listed: Listed, row: Row, name: string, difference: Difference): boolean {
  return (
    (listed.rows?.(row) ?? true) &&
    (listed.cases?.test(name) ?? true) &&
    listed.path.test(difference.path) &&
    (listed.fits?.(difference) ?? true)
  );
}
