// Reads the event stream of a response while it is still being written.

import { EventStreamParser, type ServerEvent } from "../../src/protocol/event-stream.ts";
import { waitFor } from "../support/wait-for.ts";

export class EventReader {
  readonly events: ServerEvent[] = [];
  hasEnded = false;
  /** The connection was lost before the stream had an end. */
  hasBroken = false;
  readonly #reader: { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> };

  constructor(response: Response) {
    if (response.body === null) throw new Error("no body");
    this.#reader = response.body.getReader();
    void this.#read();
  }

  /** The messages so far; priming events have none. */
  get messages(): unknown[] {
    return this.events.filter(({ data }) => data !== "").map(({ data }) => JSON.parse(data));
  }

  get lastId(): string {
    const id = this.events.at(-1)?.id;
    if (id === undefined) throw new Error("the last event has no id");
    return id;
  }

  async until(count: number): Promise<unknown[]> {
    await waitFor(() => this.messages.length >= count, { what: `${count} messages` });
    return this.messages;
  }

  async ended(): Promise<unknown[]> {
    await waitFor(() => this.hasEnded, { what: "the end of the stream" });
    return this.messages;
  }

  /** The client goes away. */
  leave(): Promise<void> {
    return this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const parser = new EventStreamParser();
    try {
      for (let chunk = await this.#reader.read(); !chunk.done; chunk = await this.#reader.read())
        if (chunk.value !== undefined) this.events.push(...parser.push(chunk.value));
    } catch {
      this.hasBroken = true;
    }
    this.hasEnded = true;
  }
}
