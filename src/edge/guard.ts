// Decides which requests are accepted: Host and Origin keep out pages in a browser, the token keeps out everybody else.

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

/** The access of a request: that of its route, or `preflight` for a browser's CORS question. */
export type Access = Route["access"] | "preflight";

export type GuardSettings = Pick<Config, "host" | "auth" | "allowedHosts" | "allowedOrigins" | "publicUrl">;

const NO_HOST: Refusal = { status: 403, message: "The Host header names no host." };
const NO_TOKEN: Refusal = {
  status: 401,
  message: "This gateway wants its token: Authorization: Bearer <token>.",
};

export class Guard {
  readonly #isLoopbackBind: boolean;
  /** The Host names that are accepted without the token. */
  readonly #names: ReadonlySet<string>;
  /** Pages on these hosts may use the gateway, from any port. */
  readonly #pageNames: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** A hash, so that the time of a comparison says nothing about the token. */
  readonly #token: Buffer | undefined;
  /** The last accepted Host: nearly all requests have the same one. */
  #goodHost: string | undefined;

  /** Identifies the credentials of accepted requests: sessions and parked calls are bound to it. */
  readonly principal: string;

  /** Clients see the principal in session ids, so it is an HMAC: without the key it cannot be used to test guessed tokens. */
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

  /** Why a request is refused; undefined if it is accepted. A request refused with 401 has passed the checks of Host and Origin. */
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

  /** True if the Host or the headers show that a proxy passed on the request. */
  isForwarded(headers: Headers): boolean {
    const name = readName(headers.get("host"));
    const isOwn = name !== undefined && this.#pageNames.has(name);
    return !isOwn || headers.has("x-forwarded-for") || headers.has("forwarded");
  }

  /**
   * A page of another site can make a browser send requests; with DNS rebinding they have a Host of that site (2025-11-25
   * and later, basic/transports, "Security Warning"). No such page has the token, so with the token any Host is accepted.
   */
  #refuseSender(headers: Headers, access: Access, isHolder: boolean): Refusal | undefined {
    const host = headers.get("host");
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    if (origin === null && site === null && host !== null && host === this.#goodHost) return undefined;
    const name = readName(host);
    // A Host with a path or a query would become a part of the URL.
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

  /** If a request needs the token, the token decides and the Host is not checked. */
  #wantsKnownHost(access: Access): boolean {
    return this.#token === undefined || (access === "open" && this.#isLoopbackBind);
  }

  /** Beyond loopback any IP address is accepted: the gateway cannot know all its own (NAT), and DNS cannot rebind an address. */
  #isKnown(name: string | undefined): boolean {
    // Browsers always send a Host.
    if (name === undefined) return !this.#isLoopbackBind;
    return this.#names.has(name) || (!this.#isLoopbackBind && ADDRESS.test(name));
  }

  /** `host` is null if the Host is neither known nor sent with the token. */
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

/** The form in which names are compared: lower case, no trailing dot, an IPv6 address in brackets. */
function normalName(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, "");
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
