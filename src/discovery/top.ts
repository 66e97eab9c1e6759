// The highest of many numbers above zero, for when sorting them all would take too long.

export class Top {
  /** Descending; zeros where nothing has come yet. */
  readonly #highest: Float64Array;

  constructor(size: number) {
    this.#highest = new Float64Array(size);
  }

  get least(): number {
    return this.#highest.at(-1) ?? 0;
  }

  offer(value: number): void {
    const highest = this.#highest;
    if (value <= this.least) return;
    let place = highest.length - 1;
    for (; place > 0 && value > (highest[place - 1] ?? 0); place--) highest[place] = highest[place - 1] ?? 0;
    highest[place] = value;
  }
}
