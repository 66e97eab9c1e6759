// What a response outside 2xx says: whether the message was acted on, whether our session is gone, what to tell people.

import { BACKEND_LIMITS, parseBounded } from "../protocol/bounded-json.ts";
import { type ErrorObject, type Message, toMessage } from "../protocol/jsonrpc.ts";
import { shownLine } from "../shown.ts";
import { type HttpResponse, mediaType } from "./http-response.ts";
import { retryAfterMs } from "./retry-after.ts";
import { SendError } from "./transport.ts";

const MAX_BODY_LENGTH = 4096;
const MAX_SHOWN_LENGTH = 300;
const BODY_DEADLINE_MS = 3_000;

/** Statuses by which a server says that it did not act on the request. */
const NOT_ACTED_ON: ReadonlySet<number> = new Set([
  400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 417, 421, 426, 428, 429, 431,
]);

const HINTS: ReadonlyMap<number, string> = new Map([
  [401, "Check the Authorization header under `headers` of this backend."],
  [403, "Check the Authorization header under `headers` of this backend."],
  [404, "Check http_url and transport of this backend."],
  [405, "Check http_url and transport of this backend."],
]);

/** The code of some servers for "session not found". */
const SESSION_NOT_FOUND = -32015;

/** Method, params or resource not found: these concern the request, so the session is known. */
const ABOUT_THE_REQUEST: ReadonlySet<number> = new Set([-32601, -32602, -32002]);

// "Session not found", "Unknown session", "No valid session ID provided", and "Server not initialized", which the official
// SDK's server answers to a session that it had before its restart.
const SESSION_GONE =
  /\bsession\b.*\b(not found|expired|terminated|unknown|invalid|closed|gone|(does not|doesn't|no longer) exists?)\b|\b(unknown|invalid|expired|no valid|no such)\b.{0,20}\bsession\b|\b(session|server) not initialized\b/is;

/** Reads what is left of a refused response. `inSession`: the request named a session that could be gone. */
export async function readRefusal(
  response: HttpResponse,
  what: string,
  inSession: boolean,
): Promise<SendError> {
  const body = await readStart(response);
  const { status } = response;
  const said = sayings(response, body);
  const sessionExpired = inSession && saysSessionIsGone(status, body);
  const waitMs = retryAfterMs(response);
  const answered = `${what} was answered with ${quote(`${status} ${response.statusText}`)}`;
  const sentence = said === "" ? `${answered}.` : `${answered}: ${said}`;
  const hint = sessionExpired ? undefined : hintFor(status, waitMs);
  const stop = /[.!?]$/.test(sentence) ? "" : ".";
  return new SendError(hint === undefined ? sentence : `${sentence}${stop} ${hint}`, {
    maybeDelivered: waitMs === undefined && !NOT_ACTED_ON.has(status),
    status,
    body,
    sessionExpired,
    retryAfterMs: waitMs,
  });
}

function hintFor(status: number, waitMs: number | undefined): string | undefined {
  if (waitMs === undefined) return HINTS.get(status);
  return `The server asks for no request in the next ${Math.ceil(waitMs / 1000)} s (Retry-After); try again after that.`;
}

/**
 * True for an error in a 2xx body that means "session not found". Only server-defined codes and -32600 count, and only with
 * words to that effect: a tool may have sessions of its own to lose.
 */
export function errorSaysSessionIsGone(error: ErrorObject): boolean {
  if (error.code === SESSION_NOT_FOUND) return true;
  const isServerDefined = error.code <= -32000 && error.code >= -32019;
  return (isServerDefined || error.code === -32600) && SESSION_GONE.test(error.message);
}

/** 404 is the status of the specification. Other statuses count only if the body says it: they may be about a login session. */
function saysSessionIsGone(status: number, body: string): boolean {
  const error = errorIn(body);
  if (error !== undefined && errorSaysSessionIsGone(error)) return true;
  if (status === 404 || status === 410) return error === undefined || !ABOUT_THE_REQUEST.has(error.code);
  if (status === 401 || status === 403 || status >= 500) return false;
  return SESSION_GONE.test(error?.message ?? body);
}

function errorIn(body: string): ErrorObject | undefined {
  let message: Message | undefined;
  try {
    message = toMessage(parseBounded(body, BACKEND_LIMITS), body);
  } catch {
    return undefined; // A plain sentence, or a page.
  }
  return message !== undefined && "error" in message ? message.error : undefined;
}

/** The server's own words, short; nothing of a page that was made for browsers. */
function sayings(response: HttpResponse, body: string): string {
  const error = errorIn(body);
  if (error === undefined && mediaType(response) === "text/html") return "";
  return quote(error?.message ?? body);
}

/** A foreign text for people: one line of bounded length, without our secrets. */
export function quote(text: string): string {
  return shownLine(text.slice(0, MAX_BODY_LENGTH).replace(/\s+/g, " "), MAX_SHOWN_LENGTH);
}

/** True for failures that may pass: the server is starting, or still holds the stream that broke. */
export function mayPass({ status }: SendError): boolean {
  if (status === undefined) return true;
  return (status >= 500 && status !== 501) || status === 408 || status === 409 || status === 429;
}

/** The start of a body, bounded in length and time: a refusal stands without it. */
async function readStart(response: HttpResponse): Promise<string> {
  const decoder = new TextDecoder();
  const deadline = setTimeout(() => response.cancel(), BODY_DEADLINE_MS);
  let text = "";
  const read = response.pieces((bytes) => {
    text += decoder.decode(bytes, { stream: true });
    if (text.length >= MAX_BODY_LENGTH) response.cancel();
  });
  await read.catch(() => undefined); // It broke off; what came is enough.
  clearTimeout(deadline);
  return text.slice(0, MAX_BODY_LENGTH);
}
