// The path that a reverse proxy puts before the gateway's own.

const PREFIX = /^(?:\/[\w.~-]+)+$/;

/** The path of `public_url`; empty without one. */
export function prefixOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");
}

/** The prefix that the proxy sends; undefined if there is none, or if it is not a plain path. */
export function forwardedPrefix(headers: Headers): string | undefined {
  const prefix = headers.get("x-forwarded-prefix")?.replace(/\/$/, "");
  return prefix !== undefined && PREFIX.test(prefix) ? prefix : undefined;
}
