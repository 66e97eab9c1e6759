// `Retry-After` (RFC 9110, section 10.2.3): how long a client should wait, in seconds or as a date.

import type { HttpResponse } from "./http-response.ts";

/** Statuses that mean "not handled, try again later" if they come with `Retry-After`. */
const LATER: ReadonlySet<number> = new Set([429, 503]);
const SECONDS = /^\d{1,9}(?:\.\d+)?$/;

/** Undefined if the server names no time. A date is compared with the server's clock (the `Date` header), if it is known. */
export function retryAfterMs(response: HttpResponse, nowMs = Date.now()): number | undefined {
  if (!LATER.has(response.status)) return undefined;
  const text = response.header("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (SECONDS.test(text)) return Math.ceil(Number(text) * 1_000);
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) return undefined;
  const serverNowMs = Date.parse(response.header("date") ?? "");
  return Math.max(0, atMs - (Number.isNaN(serverNowMs) ? nowMs : serverNowMs));
}
