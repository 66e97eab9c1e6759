// From the body of an HTTP response to JSON-RPC messages, as one JSON text or as an event stream. Bounded in size.

import type { EventStreamParser, ServerEvent } from "../protocol/event-stream.ts";
import { type Id, toMessage } from "../protocol/jsonrpc.ts";
import type { HttpResponse } from "./http-response.ts";
import type { Incoming } from "./transport.ts";

/** A larger message or event ends its response: it would have to be held in memory whole. */
export const MAX_MESSAGE_LENGTH = 64 * 1024 * 1024;

/** Hands out each event as it comes, until the stream ends. */
export function readEvents(
  response: HttpResponse,
  parser: EventStreamParser,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  return response.pieces((bytes) => {
    for (const event of parser.push(bytes)) onEvent(event);
  });
}

/** The messages in one JSON text, a batch taken apart; undefined where it is anything but JSON-RPC. */
export function toIncoming(text: string, origin?: Id): Incoming[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const from = origin === undefined ? {} : { origin };
  if (!Array.isArray(value)) {
    const message = toMessage(value, text.length);
    if (message === undefined) return undefined;
    // A text of several lines would break the wires that frame by lines; it is written anew there.
    return [/[\r\n]/.test(text) ? { message, ...from } : { message, text, ...from }];
  }
  const messages = value.map((item) => toMessage(item)).filter((message) => message !== undefined);
  return messages.length < value.length || value.length === 0
    ? undefined
    : messages.map((message) => ({ message, ...from }));
}
