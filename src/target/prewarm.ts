// Starts a backend while the model still reads what it was told of it: the call that is likely to follow finds it awake.

import type { Backend } from "../backend/backend.ts";

/** Starts side by side; a hint beyond that is let go. */
const MAX_STARTING = 2;

export class Prewarm {
  readonly #isOn: boolean;
  #starting = 0;

  constructor(isOn: boolean) {
    this.#isOn = isOn;
  }

  /** A call to this backend may follow. Keeps nobody waiting; what runs, has failed or is switched off is left alone. */
  hint(backend: Backend): void {
    const { state } = backend.status();
    const isAsleep = state === "asleep" || state === "stopped";
    if (!this.#isOn || !isAsleep || this.#starting >= MAX_STARTING) return;
    this.#starting += 1;
    void backend.prestart().finally(() => {
      this.#starting -= 1;
    });
  }
}
