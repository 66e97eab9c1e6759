// What clients were given by the gateway and may come back with: session ids, states, event ids, message endpoints.

import type { Random } from "./random.ts";

const MOST = 40;

class Bag {
  readonly #items: string[] = [];

  add(item: string): void {
    if (this.#items.length >= MOST) this.#items.shift();
    this.#items.push(item);
  }

  any(random: Random): string | undefined {
    return this.#items.length === 0 ? undefined : random.pick(this.#items);
  }
}

export class Loot {
  readonly sessions = new Bag();
  readonly states = new Bag();
  readonly events = new Bag();
  readonly endpoints = new Bag();

  /** Takes what is worth something out of a reply. */
  collect(headers: ReadonlyMap<string, string>, body: string): void {
    const session = headers.get("mcp-session-id");
    if (session !== undefined) this.sessions.add(session);
    for (const [, id = ""] of body.matchAll(/^id: (.+)$/gm)) this.events.add(id);
    for (const [, state = ""] of body.matchAll(/"requestState":"([^"]+)"/g)) this.states.add(state);
    for (const [, path = ""] of body.matchAll(/^data: (\/message\?.+)$/gm)) this.endpoints.add(path);
  }
}
