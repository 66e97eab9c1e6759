// Which gateways a request has been through, so that none serves itself by way of its own backends.

import { Header } from "../protocol/mcp.ts";

const ID = /^[\w-]{8,40}$/;
/** A gateway in front of us that has asked for nothing for so long no longer has us among its backends. */
const KNOWN_MS = 600_000;
const MAX_KNOWN = 64;

/**
 * Requests to backends carry the id of this gateway, and those of the gateways that ask it for this backend: a backend's
 * connection serves many clients, so the ids are those of all that asked lately, and not of one call.
 */
export class Via {
  readonly #own: string;
  readonly #now: () => number;
  /** When each gateway last asked, by what it asked for: the name of a backend, or empty for all of them. */
  readonly #asked = new Map<string, Map<string, number>>();

  constructor(own: string, now: () => number = () => performance.now()) {
    this.#own = own;
    this.#now = now;
  }

  /** True for a request that has been here before. Otherwise it is known from now on who asks for this backend. */
  isLoop(headers: Headers, backend = ""): boolean {
    const text = headers.get(Header.via);
    if (text === null) return false;
    const ids = text.split(",", MAX_KNOWN).map((id) => id.trim());
    if (ids.includes(this.#own)) return true;
    const known = this.#asked.get(backend) ?? new Map<string, number>();
    this.#asked.set(backend, known);
    for (const id of ids) {
      if (ID.test(id) && (known.has(id) || known.size < MAX_KNOWN)) known.set(id, this.#now());
    }
    return false;
  }

  /** What a request to this backend carries. */
  headerFor(backend: string): string {
    if (this.#asked.size === 0) return this.#own;
    const ids = new Set([this.#own, ...this.#lately(""), ...this.#lately(backend)]);
    return [...ids].join(", ");
  }

  #lately(backend: string): string[] {
    const known = this.#asked.get(backend) ?? new Map<string, number>();
    const oldestMs = this.#now() - KNOWN_MS;
    for (const [id, atMs] of known) if (atMs < oldestMs) known.delete(id);
    return [...known.keys()];
  }
}
