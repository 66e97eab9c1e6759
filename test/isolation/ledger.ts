// Who may read what: every word that belongs to a client carries its mark, and a mark that turns up elsewhere is told.

import type { Json } from "../../src/protocol/jsonrpc.ts";

const MARK = /mark-c(\d+)k(\d+)-/g;

export function markOf(client: number, call: number): string {
  return `mark-c${client}k${call}-`;
}

export class Ledger {
  readonly violations: string[] = [];
  readonly #counts = new Map<string, number>();

  /** Figures, by name. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort());
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  violate(what: string): void {
    if (this.violations.length < 100) this.violations.push(what);
    this.count("violations");
  }

  expect(isTrue: boolean, what: () => string): void {
    if (!isTrue) this.violate(what());
  }

  /** Every mark in the message must be this one, or where no call is named, of this client. */
  own(message: Json, client: number, call?: number): void {
    this.count("messages");
    const text = JSON.stringify(message);
    for (const [mark, ofClient, ofCall] of text.matchAll(MARK)) {
      this.count("marks");
      const isOwn = Number(ofClient) === client && (call === undefined || Number(ofCall) === call);
      this.expect(isOwn, () => `client ${client}, call ${call}: heard ${mark} in ${text.slice(0, 300)}`);
    }
  }
}
