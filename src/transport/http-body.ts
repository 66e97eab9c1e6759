// From the body of an HTTP response to JSON-RPC messages, as one JSON text or as an event stream. Bounded in size.

import { boundedMessage } from "../protocol/bounded-json.ts";
import type { EventStreamParser, ServerEvent } from "../protocol/event-stream.ts";
import { itemTexts } from "../protocol/json-text.ts";
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
export function toIncoming(whole: string, origin?: Id): Incoming[] | undefined {
  const text = boundedMessage(whole);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const from = origin === undefined ? {} : { origin };
  if (!Array.isArray(value)) {
    const message = toMessage(value, text);
    return message === undefined ? undefined : [{ message, ...from }];
  }
  const texts = itemTexts(text);
  const messages = value
    .map((item, at) => toMessage(item, texts[at] ?? ""))
    .filter((message) => message !== undefined);
  return messages.length < value.length || value.length === 0
    ? undefined
    : messages.map((message) => ({ message, ...from }));
}
