// Who may talk to the gateway: Host and Origin against pages in a browser, the token against everybody else.

import { hostname } from "node:os";
import { isLoopback } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";
import { hmacSha256, isSameBytes, sha256 } from "../digest.ts";
import type { Route } from "./routes.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"] as const;
const HOST = /^(\[[\da-f:.%]+\]|[\w.-]+)(?::\d+)?$/i;
const ADDRESS = /^(?:\[.*\]|\d+\.\d+\.\d+\.\d+)$/;
/** ASCII only: `\s` would take a no-break space for a blank. */
const BEARER = /^Bearer[ \t]+([\x21-\x7e]+)[ \t]*$/i;
const PRINCIPAL_BYTES = 12;

export interface Refusal {
  readonly status: 401 | 403 | 404 | 508;
  readonly message: string;
}

/** How a request comes in: by a route that is open or wants credentials, or as a browser's question before it (CORS). */
export type Access = Route["access"] | "preflight";

export type GuardSettings = Pick<Config, "host" | "auth" | "allowedHosts" | "allowedOrigins" | "publicUrl">;

const NO_HOST: Refusal = { status: 403, message: "The Host header names no host." };
const NO_TOKEN: Refusal = {
  status: 401,
  message: "This gateway wants its token: Authorization: Bearer <token>.",
};

export class Guard {
  readonly #isLoopbackBind: boolean;
  /** The names that clients may call this gateway by. */
  readonly #names: ReadonlySet<string>;
  /** Pages on these names may call the gateway, from any port. */
  readonly #pageNames: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** A hash, so that the time of a comparison says nothing about the token. */
  readonly #token: Buffer | undefined;
  /** The known Host that came last: nearly all requests have the same. */
  #goodHost: string | undefined;

  /** Names the credentials of a request that has passed: sessions and parked calls are bound to it. */
  readonly principal: string;

  /** Clients see the principal in session ids, so it is an HMAC: without the key nobody can try tokens on it. */
  constructor(settings: GuardSettings, key: Buffer, machine = hostname()) {
    const { host, auth, allowedHosts, allowedOrigins, publicUrl } = settings;
    const url = publicUrl === undefined ? undefined : new URL(publicUrl);
    this.#isLoopbackBind = isLoopback(host);
    this.#pageNames = new Set([...LOOPBACK, normalName(host)]);
    const own = [...this.#pageNames, machine, `${machine}.local`, ...allowedHosts];
    this.#names = new Set([...own, ...(url === undefined ? [] : [url.hostname])].map(normalName));
    this.#origins = new Set([...allowedOrigins, ...(url === undefined ? [] : [url.origin])].map(lowerCase));
    this.#token = auth.token === undefined ? undefined : sha256(auth.token);
    this.principal =
      auth.token === undefined
        ? "local"
        : hmacSha256(key, `principal\0${auth.token}`).toString("base64url", 0, PRINCIPAL_BYTES);
  }

  get wantsToken(): boolean {
    return this.#token !== undefined;
  }

  /** Why a request may not come in. Whoever is refused with 401 has passed the checks of Host and Origin. */
  refuse(headers: Headers, access: Access): Refusal | undefined {
    const isHolder = this.#token !== undefined && this.hasToken(headers);
    const refusal = this.#refuseSender(headers, access, isHolder);
    if (refusal !== undefined) return refusal;
    return isHolder || this.#token === undefined || access !== "credentials" ? undefined : NO_TOKEN;
  }

  hasToken(headers: Headers): boolean {
    if (this.#token === undefined) return true;
    const match = BEARER.exec(headers.get("authorization") ?? "");
    return match?.[1] !== undefined && isSameBytes(sha256(match[1]), this.#token);
  }

  /** True for a request that a proxy passed on, as far as it says so. */
  isForwarded(headers: Headers): boolean {
    const name = readName(headers.get("host"));
    const isOwn = name !== undefined && this.#pageNames.has(name);
    return !isOwn || headers.has("x-forwarded-for") || headers.has("forwarded");
  }

  /**
   * A page of another site can make a browser send requests, and by DNS rebinding with a Host of that site (2025-11-25
   * and later, basic/transports, "Security Warning"). No page has the token, so the Host of whoever has it is of no matter.
   */
  #refuseSender(headers: Headers, access: Access, isHolder: boolean): Refusal | undefined {
    const host = headers.get("host");
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    if (origin === null && site === null && host !== null && host === this.#goodHost) return undefined;
    const name = readName(host);
    // With a path or a query in it, it would be read as a part of the URL.
    if (name === undefined && host !== null && host !== "") return NO_HOST;
    const isKnown = this.#isKnown(name);
    if (!isKnown && !isHolder && this.#wantsKnownHost(access)) return foreignHost(host);
    if (isKnown && host !== null) this.#goodHost = host;
    if (origin !== null) {
      const isGood = this.#isGoodOrigin(origin, isKnown || isHolder ? host : null);
      return isGood ? undefined : foreignOrigin(origin);
    }
    // Browsers send no Origin with the GET of an image, a script or a link.
    const isForeign = site === "cross-site" || (site === "same-site" && !this.#pageNames.has(name ?? ""));
    return isForeign
      ? { status: 403, message: "A page of another site may not use this gateway." }
      : undefined;
  }

  /** Where a route wants the token, that decides, and the Host adds nothing. */
  #wantsKnownHost(access: Access): boolean {
    return this.#token === undefined || (access === "open" && this.#isLoopbackBind);
  }

  /** On a network the gateway cannot know all its addresses (NAT, containers); an address cannot be rebound by DNS. */
  #isKnown(name: string | undefined): boolean {
    // Browsers always send a Host.
    if (name === undefined) return !this.#isLoopbackBind;
    return this.#names.has(name) || (!this.#isLoopbackBind && ADDRESS.test(name));
  }

  /** `host` is null if nothing speaks for it. */
  #isGoodOrigin(origin: string, host: string | null): boolean {
    const written = origin.toLowerCase();
    if (this.#origins.has(written)) return true;
    const scheme = /^([a-z][a-z\d+.-]*):\/\/[^/]+$/.exec(written)?.[1];
    if (scheme !== undefined && this.#origins.has(`${scheme}://*`)) return true;
    if ((scheme !== "http" && scheme !== "https") || !URL.canParse(written)) return false;
    const url = new URL(written);
    return this.#pageNames.has(url.hostname) || (host !== null && url.host === host.toLowerCase());
  }
}

function foreignHost(host: string | null): Refusal {
  const advice = "use localhost or 127.0.0.1, or add the name to allowed_hosts in servers.yaml";
  return { status: 403, message: `The Host "${host ?? ""}" is not known as this gateway; ${advice}.` };
}

function foreignOrigin(origin: string): Refusal {
  const advice = "add it to allowed_origins in servers.yaml if you trust its pages";
  return { status: 403, message: `The Origin "${origin}" may not use this gateway; ${advice}.` };
}

/** The host of a Host header, without its port; undefined if it names none. */
function readName(host: string | null): string | undefined {
  const name = host === null ? undefined : HOST.exec(host)?.[1];
  return name === undefined ? undefined : normalName(name);
}

/** As names are compared: in lower case, without the dot of a root, an IPv6 address in brackets. */
function normalName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
