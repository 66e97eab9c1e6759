// Which client is played against which backend, by which way through the gateway, and what that is held against.

import type { Era } from "../../src/protocol/call.ts";
import { BACKENDS, type BackendName } from "../conformance/rows.ts";

/** The backend itself as one era of clients sees it. */
export interface Direct {
  readonly backend: BackendName;
  readonly era: Era;
}

export interface Row extends Direct {
  readonly name: string;
  /** How the client reaches the gateway. */
  readonly way: "http" | "sse" | "face";
  /** What the same client hears without the gateway: from the same backend, or from the same in the client's era. */
  readonly against: Direct;
  /** The gateway and the backend speak the client's era: nothing is translated. */
  readonly isSameEra: boolean;
}

function row(backend: BackendName, era: Era, way: Row["way"], against: BackendName = backend): Row {
  const { eras } = BACKENDS[backend];
  // A backend of both eras is spoken to in the client's.
  const isSameEra = eras === "both" || eras === era;
  const name = `${era} client, ${backend} by ${way}`;
  return { name, backend, era, way, against: { backend: against, era }, isSameEra };
}

export const ROWS: readonly Row[] = [
  row("http-legacy", "legacy", "http"),
  row("http-modern", "modern", "http"),
  row("http-both", "modern", "http"),
  row("stdio-legacy", "legacy", "http"),
  row("stdio-legacy", "legacy", "face"),
  row("stdio-modern", "modern", "http"),
  row("stdio-modern", "modern", "face"),
  row("sse-legacy", "legacy", "http"),
  row("sse-legacy", "legacy", "sse"),
  row("http-both", "legacy", "http"),
  row("stdio-both", "legacy", "face"),
  row("http-legacy", "modern", "http", "http-modern"),
  row("stdio-legacy", "modern", "http", "stdio-modern"),
  row("sse-legacy", "modern", "http", "stdio-modern"),
  row("http-modern", "legacy", "http", "http-legacy"),
  row("stdio-modern", "legacy", "http", "stdio-legacy"),
];

/** Streamable HTTP on both sides: statuses and the kind of answer can be compared as well. */
export function isHttp({ against, way }: Row): boolean {
  return way === "http" && BACKENDS[against.backend].wire === "http";
}
