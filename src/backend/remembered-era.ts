// The era that a backend's server was found to speak. It applies to the server's next process too. Knows no process.

import type { Era } from "../protocol/call.ts";

/** A server may have been updated and speak another era: after this long it is asked again. */
const HOLDS_MS = 24 * 3_600_000;

export interface EraRecord {
  readonly name: Era;
  readonly askedAtMs: number;
  /** When the server last refused the handshake of the older era. */
  readonly isOnly?: boolean | undefined;
}

export class RememberedEra {
  readonly #onChanged: () => void;
  #record: EraRecord | undefined;

  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  /** The era to begin with; undefined: ask the server. */
  get name(): Era | undefined {
    if (this.#record?.name === "legacy" && Date.now() - this.#record.askedAtMs > HOLDS_MS) return undefined;
    return this.#record?.name;
  }

  /** A handshake has shown the era. The stored date is when the server was last asked, not when it last started. */
  found(name: Era, wasAsked: boolean): void {
    const askedAtMs = wasAsked ? Date.now() : (this.#record?.askedAtMs ?? Date.now());
    if (this.#record?.name === name && this.#record.askedAtMs === askedAtMs) return;
    const isOnly = this.#record?.name === name && this.#record.isOnly === true;
    this.#record = { name, askedAtMs, ...(isOnly ? { isOnly } : {}) };
    this.#onChanged();
  }

  /** True if the server has recently refused the handshake of the older era. */
  get isModernOnly(): boolean {
    return this.#record?.isOnly === true && Date.now() - this.#record.askedAtMs <= HOLDS_MS;
  }

  /** The server has refused the handshake of the older era. */
  foundModernOnly(): void {
    this.#record = { name: "modern", askedAtMs: Date.now(), isOnly: true };
    this.#onChanged();
  }

  /** To be called after a failed start: the remembered era may be the reason. */
  forget(): void {
    if (this.#record === undefined) return;
    this.#record = undefined;
    this.#onChanged();
  }

  restore(record: EraRecord | undefined): void {
    this.#record = record;
  }

  record(): EraRecord | undefined {
    return this.#record;
  }
}
