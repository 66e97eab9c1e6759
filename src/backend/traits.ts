// What was found out about the program behind a backend and holds for its next process too. Knows no process.

import type { Era } from "../protocol/call.ts";

/** A server that was of the old era may have been renewed: after this long it is asked again. */
const LEGACY_HOLDS_MS = 24 * 3_600_000;

export interface TraitsRecord {
  readonly era?: { readonly name: Era; readonly askedAtMs: number };
  readonly hasAsked: boolean;
  readonly hasAskedForRoots?: boolean;
  readonly hasLogged: boolean;
}

export class Traits {
  readonly #onChanged: () => void;
  #era: { readonly name: Era; readonly askedAtMs: number } | undefined;
  #hasAsked = false;
  #hasAskedForRoots = false;
  #hasLogged = false;

  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  /** True once the backend has put a question without saying to whom, unless it was one for roots that is expected. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** True once the backend has asked for roots at its start, or when it was told that they have changed. */
  get hasAskedForRoots(): boolean {
    return this.#hasAskedForRoots;
  }

  /** True once the backend has logged without saying for whom. */
  get hasLogged(): boolean {
    return this.#hasLogged;
  }

  /** The era to begin with; undefined: ask the server. */
  get era(): Era | undefined {
    if (this.#era?.name === "legacy" && Date.now() - this.#era.askedAtMs > LEGACY_HOLDS_MS) return undefined;
    return this.#era?.name;
  }

  /** A handshake has shown the era. The date is that of the last time when the server was asked, not of the last start. */
  eraFound(name: Era, wasAsked: boolean): void {
    const askedAtMs = wasAsked ? Date.now() : (this.#era?.askedAtMs ?? Date.now());
    if (this.#era?.name === name && this.#era.askedAtMs === askedAtMs) return;
    this.#era = { name, askedAtMs };
    this.#onChanged();
  }

  /** What was known of the era may be what made a start fail. */
  forgetEra(): void {
    if (this.#era === undefined) return;
    this.#era = undefined;
    this.#onChanged();
  }

  noteQuestion(): void {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    this.#onChanged();
  }

  noteRootsQuestion(): void {
    if (this.#hasAskedForRoots) return;
    this.#hasAskedForRoots = true;
    this.#onChanged();
  }

  noteLog(): void {
    if (this.#hasLogged) return;
    this.#hasLogged = true;
    this.#onChanged();
  }

  restore({ era, hasAsked, hasAskedForRoots = false, hasLogged }: TraitsRecord): void {
    this.#era = era;
    this.#hasAsked = hasAsked;
    this.#hasAskedForRoots = hasAskedForRoots;
    this.#hasLogged = hasLogged;
  }

  record(): TraitsRecord {
    const flags = {
      hasAsked: this.#hasAsked,
      hasAskedForRoots: this.#hasAskedForRoots,
      hasLogged: this.#hasLogged,
    };
    return this.#era === undefined ? flags : { ...flags, era: this.#era };
  }
}
