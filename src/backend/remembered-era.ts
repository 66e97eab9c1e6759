// The era that a backend's server was found to speak, which holds for its next process too. Knows no process.

import type { Era } from "../protocol/call.ts";

/** A server that was of the old era may have been renewed: after this long it is asked again. */
const LEGACY_HOLDS_MS = 24 * 3_600_000;

export interface EraRecord {
  readonly name: Era;
  readonly askedAtMs: number;
}

export class RememberedEra {
  readonly #onChanged: () => void;
  #record: EraRecord | undefined;

  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  /** The era to begin with; undefined: ask the server. */
  get name(): Era | undefined {
    if (this.#record?.name === "legacy" && Date.now() - this.#record.askedAtMs > LEGACY_HOLDS_MS)
      return undefined;
    return this.#record?.name;
  }

  /** A handshake has shown the era. The date is that of the last time when the server was asked, not of the last start. */
  found(name: Era, wasAsked: boolean): void {
    const askedAtMs = wasAsked ? Date.now() : (this.#record?.askedAtMs ?? Date.now());
    if (this.#record?.name === name && this.#record.askedAtMs === askedAtMs) return;
    this.#record = { name, askedAtMs };
    this.#onChanged();
  }

  /** What was known of the era may be what made a start fail. */
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
