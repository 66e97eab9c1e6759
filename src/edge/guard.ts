// Who may talk to us at all: Host and Origin against DNS rebinding, the token against everybody else.

import { isLoopback } from "../config/addresses.ts";
import type { AuthConfig } from "../config/config.ts";
import { isSameBytes, sha256 } from "../digest.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** ASCII alone: `\s` would take a no-break space for a blank. */
const BEARER = /^Bearer[ \t]+([\x21-\x7e]+)[ \t]*$/i;

const HOST = /^[\w.:[\]%-]*$/;

export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
}

export class Guard {
  readonly #isLoopbackBind: boolean;
  readonly #boundHost: string;
  /** A hash, so that the time of a comparison says nothing about the token. */
  readonly #token: Buffer | undefined;
  /** The Host that passed last: nearly all requests have the same. */
  #goodHost: string | undefined;

  constructor(host: string, auth: AuthConfig) {
    this.#isLoopbackBind = isLoopback(host);
    this.#boundHost = host.includes(":") ? `[${host}]` : host.toLowerCase();
    this.#token = auth.token === undefined ? undefined : sha256(auth.token);
  }

  get wantsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Why a request may not come in by its Host or Origin (2025-11-25 and later, basic/transports, "Security Warning"). */
  checkOrigin(headers: Headers): Refusal | undefined {
    const host = headers.get("host");
    const origin = headers.get("origin");
    if (origin === null && host !== null && host === this.#goodHost) return undefined;
    // With a path or a query in it, it would be read as a part of the URL.
    if (host !== null && !HOST.test(host)) return { status: 403, message: "The Host header names no host." };
    if (this.#isLoopbackBind && (host === null || !this.#isOwnHost(hostname(host)))) {
      return {
        status: 403,
        message: `The Host "${host ?? ""}" is not this gateway; use localhost or 127.0.0.1.`,
      };
    }
    this.#goodHost = host ?? undefined;
    if (origin === null || this.#isGoodOrigin(origin, host)) return undefined;
    return { status: 403, message: `The Origin "${origin}" may not use this gateway.` };
  }

  /** Why a request may not come in. A route that is open takes requests without credentials. */
  refuse(headers: Headers, isOpen: boolean): Refusal | undefined {
    return this.checkOrigin(headers) ?? (isOpen ? undefined : this.checkToken(headers));
  }

  checkToken(headers: Headers): Refusal | undefined {
    if (this.#token === undefined || this.hasToken(headers)) return undefined;
    return { status: 401, message: "This gateway wants its token: Authorization: Bearer <token>." };
  }

  hasToken(headers: Headers): boolean {
    if (this.#token === undefined) return true;
    const match = BEARER.exec(headers.get("authorization") ?? "");
    return match?.[1] !== undefined && isSameBytes(sha256(match[1]), this.#token);
  }

  /** Names the credentials of a request that has passed: sessions and parked calls are bound to it. */
  principalOf(): string {
    return this.#token === undefined ? "local" : this.#token.toString("base64url").slice(0, 16);
  }

  #isOwnHost(host: string): boolean {
    return LOOPBACK.has(host) || host === this.#boundHost;
  }

  #isGoodOrigin(origin: string, host: string | null): boolean {
    if (!URL.canParse(origin)) return false;
    const url = new URL(origin);
    if (url.protocol !== "http:" && url.protocol !== "https:") return false;
    return (
      this.#isOwnHost(url.hostname) ||
      (!this.#isLoopbackBind && host !== null && url.host === host.toLowerCase())
    );
  }
}

function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}
