// Who a caller is, as far as it must be known after its call: words only, so that nothing else of the call is kept.

import type { Caller } from "../../protocol/call.ts";

export interface ClientIdentity {
  /** Caller.key */
  readonly key: string;
  /**
   * A modern client has no session, and each of its requests a key of its own: this is what they have in common. Undefined
   * for a legacy client, and for one that does not say what program it is.
   */
  readonly principal: string | undefined;
  readonly name: unknown;
  readonly version: unknown;
}

export function identityOf(caller: Caller): ClientIdentity {
  const { key, clientInfo } = caller;
  const name = clientInfo?.name;
  const principal = programOwner(caller);
  return { key, principal, name, version: clientInfo?.version };
}

/** Whose requests of one program may be one client's; undefined where the key alone tells. */
export function programOwner({ era, principal, clientInfo }: Caller): string | undefined {
  return era === "modern" && typeof clientInfo?.name === "string" ? principal : undefined;
}

/** `byKey`: requests of one program are not taken for one client's. */
export function isSameClient(a: ClientIdentity, b: ClientIdentity, byKey: boolean): boolean {
  if (a.key === b.key) return true;
  if (byKey || a.principal === undefined) return false;
  return a.principal === b.principal && a.name === b.name && a.version === b.version;
}
