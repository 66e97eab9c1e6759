// The extensions of all clients that have used a shared process so far. All of them are declared at its next start: the
// server cannot tell its clients apart, and must serve clients without an extension as well.

import type { Asker } from "../protocol/call.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import { legacyExtensions } from "./variant.ts";

/** Further extensions are ignored. */
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

  /** If clients have different settings for one extension, the first settings are kept. */
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
