// What must be known about a caller after its call has ended: only strings, so that the call itself is not kept in memory.

import type { Caller } from "../../protocol/call.ts";

export interface ClientIdentity {
  /** Caller.key */
  readonly key: string;
  /**
   * What the requests of one modern client have in common, because each has a key of its own. Undefined for legacy clients
   * and for clients that do not name their program.
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

/** The principal, if requests of one program may come from one client; undefined if only the key identifies the client. */
export function programOwner({ era, principal, clientInfo }: Caller): string | undefined {
  return era === "modern" && typeof clientInfo?.name === "string" ? principal : undefined;
}

/** `byKey`: requests of one program do not count as one client. */
export function isSameClient(a: ClientIdentity, b: ClientIdentity, byKey: boolean): boolean {
  if (a.key === b.key) return true;
  if (byKey || a.principal === undefined) return false;
  return a.principal === b.principal && a.name === b.name && a.version === b.version;
}
