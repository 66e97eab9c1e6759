// The legacy eras over Streamable HTTP: POST, GET and DELETE with sessions (2025-03-26 to 2025-11-25, basic/transports).

import type { Log } from "../log.ts";
import {
  ErrorCode,
  type ErrorObject,
  errorResponse,
  type Id,
  isNotification,
  isRequest,
  type Message,
  type Request,
  writeMessage,
} from "../protocol/jsonrpc.ts";
import { Header, isKnownLegacy, LEGACY_REVISIONS, Method } from "../protocol/mcp.ts";
import type { Target } from "../target/target.ts";
import { responseText } from "./http-reply.ts";
import type { HttpSession } from "./http-session.ts";
import { initializeResult, readFacts } from "./legacy-session.ts";
import { perform } from "./perform.ts";
import type { Sessions } from "./sessions.ts";

export interface LegacyRequest {
  readonly target: Target;
  readonly headers: Headers;
  /** As its header says; null where there is none. */
  readonly revision: string | null;
  readonly principal: string;
  readonly canStream: boolean;
}

const SESSION_NOT_FOUND = -32001;
const BAD_REQUEST = -32000;
/** So many messages of a batch are handled in one turn of the event loop: a few milliseconds of work. */
const SLICE = 100;
/** A backend may take its time to start; its own start_timeout ends it before. */
const INITIALIZE_MS = 5 * 60_000;

export class LegacyEdge {
  readonly #sessions: Sessions;
  readonly #log: Log;

  constructor(sessions: Sessions, log: Log) {
    this.#sessions = sessions;
    this.#log = log;
  }

  post(request: LegacyRequest, message: Message): Response | Promise<Response> {
    if (isRequest(message) && message.method === Method.initialize) return this.#initialize(request, message);
    const session = this.#find(request, isRequest(message) ? message.id : null);
    if (session instanceof Response) return session;
    if (isRequest(message)) return session.post(message, request.canStream);
    receiveUnanswered(session, message);
    return accepted(session.id);
  }

  /** An array of messages: of 2025-03-26 only, accepted in any legacy session. The answers come as one array. */
  async postBatch(request: LegacyRequest, messages: readonly Message[]): Promise<Response> {
    const session = this.#find(request, null);
    if (session instanceof Response) return session;
    const requests = messages.filter(isRequest);
    if (requests.some(({ method }) => method === Method.initialize)) {
      return failure(400, {
        code: ErrorCode.invalidRequest,
        message: "initialize must not be part of a batch.",
      });
    }
    await inSlices(messages, (message) => {
      if (!isRequest(message)) receiveUnanswered(session, message);
    });
    if (requests.length === 0) return accepted(session.id);
    // Each is answered as plain JSON: what the calls would say before their answers has no place in an array.
    const responses = await Promise.all(await inSlices(requests, (message) => session.post(message, false)));
    const texts = await Promise.all(await inSlices(responses, (response) => response.text()));
    return json(`[${texts.join(",")}]`, 200, { "mcp-session-id": session.id });
  }

  get(request: LegacyRequest): Response {
    if (!request.canStream)
      return failure(406, { code: BAD_REQUEST, message: "A GET here is for text/event-stream only." });
    if (request.headers.get(Header.sessionId) === null) {
      return noStream(`Open a session with initialize first; then send ${Header.sessionId}.`);
    }
    const session = this.#find(request, null);
    if (session instanceof Response) return session;
    return session.get(request.headers.get(Header.lastEventId)) ?? noStream("That stream has ended.");
  }

  async delete(request: LegacyRequest): Promise<Response> {
    const session = this.#find(request, null);
    if (session instanceof Response) return session;
    await this.#sessions.end(session);
    return new Response(null, { status: 200 });
  }

  /**
   * Opens a session if the target can be described; a failed `initialize` opens none. An old session id in the request is
   * ignored: clients send one after a restart.
   */
  async #initialize({ target, principal }: LegacyRequest, message: Request): Promise<Response> {
    const { id, params } = message;
    const signal = AbortSignal.timeout(INITIALIZE_MS);
    const run = async () => ({ result: await initializeResult(target, params, signal) });
    const outcome = await perform(run, message, this.#log);
    if ("error" in outcome) return json(responseText(id, outcome), 200);
    const revision = String(outcome.result.protocolVersion);
    return this.#sessions.open(target, readFacts(message, revision, principal)).answer(id, outcome);
  }

  #find({ target, headers, revision, principal }: LegacyRequest, id: Id | null): HttpSession | Response {
    if (revision !== null && !isKnownLegacy(revision)) {
      const words = `Unsupported ${Header.protocolVersion} ${revision}; this server speaks ${LEGACY_REVISIONS.join(", ")}.`;
      return failure(400, { code: BAD_REQUEST, message: words }, { id: id });
    }
    const sessionId = headers.get(Header.sessionId);
    if (sessionId === null) {
      return failure(
        400,
        {
          code: BAD_REQUEST,
          message: `The ${Header.sessionId} header is missing; open a session with initialize.`,
        },
        { id: id },
      );
    }
    const session = this.#sessions.find(sessionId, target, principal);
    return (
      session ??
      failure(
        404,
        { code: SESSION_NOT_FOUND, message: "Session not found; open a new one with initialize." },
        { id: id },
      )
    );
  }
}

/** Between the slices of a large batch, other requests are served. */
async function inSlices<T, R>(items: readonly T[], perform: (item: T) => R): Promise<R[]> {
  const done: R[] = [];
  for (const [at, item] of items.entries()) {
    if (at > 0 && at % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    done.push(perform(item));
  }
  return done;
}

function receiveUnanswered({ session }: HttpSession, message: Message): void {
  if (isNotification(message)) session.receiveNotification(message);
  else if (!isRequest(message)) session.receiveResponse(message);
}

/** 405 is the one status that every client takes for "no stream here": some try 400 and 404 again without an end. */
function noStream(message: string): Response {
  return failure(405, { code: BAD_REQUEST, message }, { headers: { allow: "POST, GET, DELETE" } });
}

export function accepted(sessionId?: string): Response {
  return new Response(null, {
    status: 202,
    ...(sessionId === undefined ? {} : { headers: { "mcp-session-id": sessionId } }),
  });
}

export function json(text: string, status: number, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
}

/** An error that is about the HTTP request as a whole. */
export function failure(
  status: number,
  error: ErrorObject,
  { id = null, headers = {} }: { readonly id?: Id | null; readonly headers?: Record<string, string> } = {},
): Response {
  return json(writeMessage(errorResponse(id, error)), status, headers);
}
