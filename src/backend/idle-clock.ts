// How long nobody has used a backend, and the moment when that is long enough. One timer serves many calls: when it fires,
// it looks how long it has been, and goes on where that is too short.

export class IdleClock {
  /** 0: never long enough. */
  readonly #timeoutMs: number;
  readonly #onElapsed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** On the clock of `performance`. */
  sinceMs = 0;

  constructor(timeoutMs: number, onElapsed: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onElapsed = onElapsed;
  }

  /** It is idle from now on. */
  begin(): void {
    this.sinceMs = performance.now();
    if (this.#timeoutMs > 0) this.#timer ??= setTimeout(() => this.#look(), this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const restMs = this.sinceMs + this.#timeoutMs - performance.now();
    this.#timer = restMs > 0 ? setTimeout(() => this.#look(), Math.ceil(restMs)) : undefined;
    if (restMs <= 0) this.#onElapsed();
  }
}
