// The extensions that clients of a process which they share have had so far. It is told of all of them at its next start:
// a server cannot tell its clients apart, and one that was told of an extension must serve others as well.

import type { Asker } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import { legacyExtensions } from "./variant.ts";

/** More than this is nothing that a server could know. */
const MAX_EXTENSIONS = 32;

export class SeenExtensions {
  readonly #onChanged: () => void;
  #all: Json = {};

  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  get all(): Json {
    return this.#all;
  }

  /** Of two settings for one extension the first is kept. */
  note({ capabilities }: Asker): void {
    const extensions = legacyExtensions(capabilities);
    const isNew = Object.keys(extensions).some((name) => this.#all[name] === undefined);
    if (!isNew || Object.keys(this.#all).length >= MAX_EXTENSIONS) return;
    this.#all = { ...extensions, ...this.#all };
    this.#onChanged();
  }

  restore(all: Json | undefined): void {
    this.#all = all ?? {};
  }
}
