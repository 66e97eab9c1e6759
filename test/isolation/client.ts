// What a client of the isolation run can do, whichever era it speaks: make a call and keep all that came for it.

import { EventStreamParser } from "../../src/protocol/event-stream.ts";
import type { Id, Json } from "../../src/protocol/jsonrpc.ts";

export interface Question {
  readonly method: string;
  readonly params?: Json;
}

export interface CallOptions {
  /** The same in all clients, on purpose. */
  readonly id: number;
  readonly progressToken: Id;
  /** The client's answer to what the call asks it. */
  readonly answer: (question: Question) => Promise<Json>;
  /** Takes the call back when the first notification of it has come: then the backend is at work. */
  readonly cancels?: boolean;
}

/** All that came to a client for one call. */
export interface Heard {
  readonly notifications: readonly Json[];
  readonly questions: readonly Question[];
  /** Undefined where the stream ended without an answer. */
  readonly response: Json | undefined;
}

export interface Client extends AsyncDisposable {
  readonly name: string;
  readonly era: "legacy" | "modern";
  readonly logLevel: string | undefined;
  /** What came outside of its calls. */
  readonly unasked: Json[];
  call(method: string, params: Json, options: CallOptions): Promise<Heard>;
  /** Wants to hear of changes of this resource; resolves when it will. */
  watch(uri: string): Promise<void>;
}

export const ANSWER_MS = 90_000;
export const ACCEPT_BOTH = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

/** Every message of a response, as it comes. */
export async function* readMessages(response: Response): AsyncGenerator<Json> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) {
    const text = await response.text();
    if (text !== "") yield JSON.parse(text);
    return;
  }
  const parser = new EventStreamParser();
  for await (const bytes of response.body ?? []) {
    // A priming event has an id and no message.
    for (const { data } of parser.push(bytes)) if (data !== "") yield JSON.parse(data);
  }
}
