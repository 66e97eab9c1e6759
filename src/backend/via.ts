// Records which gateways a request has passed, so that no gateway serves itself through its own backends.

import { Header } from "../protocol/mcp.ts";

const ID = /^[\w-]{8,40}$/;
/** A gateway that has sent no request for so long is taken not to have us as a backend any more. */
const KNOWN_MS = 600_000;
const MAX_KNOWN = 64;

/**
 * Requests to a backend carry the id of this gateway and the ids of all gateways that recently used this backend. The ids
 * are not those of one call, because a connection to a backend serves many clients.
 */
export class Via {
  readonly #own: string;
  readonly #now: () => number;
  /** When each gateway last sent a request, by the name of the backend that it used; empty for all backends. */
  readonly #asked = new Map<string, Map<string, number>>();

  constructor(own: string, now: () => number = () => performance.now()) {
    this.#own = own;
    this.#now = now;
  }

  /** True if the request has already passed this gateway. Otherwise records which gateways use this backend. */
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

  /** The header value for requests to this backend. */
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
