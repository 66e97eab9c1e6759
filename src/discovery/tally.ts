// Sums by small whole numbers, emptied as they are read: what a Map does, at a quarter of the time.

export class Tally {
  /** All zero but for the keys. */
  #sums: Float64Array;
  readonly #keys: number[] = [];

  /** Grows for keys from `size` on. */
  constructor(size = 1_024) {
    this.#sums = new Float64Array(size);
  }

  /** Amounts are not below zero. */
  add(key: number, amount: number): void {
    if (amount === 0) return;
    if (key >= this.#sums.length) this.#grow(key);
    const sum = this.#sums[key] ?? 0;
    if (sum === 0) this.#keys.push(key);
    this.#sums[key] = sum + amount;
  }

  /** Gives every key with its sum, in the order in which they came, and forgets them. */
  drain(take: (key: number, sum: number) => void): void {
    for (const key of this.#keys) {
      take(key, this.#sums[key] ?? 0);
      this.#sums[key] = 0;
    }
    this.#keys.length = 0;
  }

  #grow(key: number): void {
    const larger = new Float64Array(2 * key + 1);
    larger.set(this.#sums);
    this.#sums = larger;
  }
}
