// The path that a reverse proxy puts before the gateway's own.

const PREFIX = /^(?:\/[\w.~-]+)+$/;

/** Of `public_url`; empty without one. */
export function prefixOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "");
}

/** As the proxy says; undefined if it says nothing, or nothing that could be a path. */
export function forwardedPrefix(headers: Headers): string | undefined {
  const prefix = headers.get("x-forwarded-prefix")?.replace(/\/$/, "");
  return prefix !== undefined && PREFIX.test(prefix) ? prefix : undefined;
}
