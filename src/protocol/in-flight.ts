// A map for what comes and goes with every call, in place of the runtime's Map and Set. Those move to a new table every few
// deletions and leave the old one pointing to it with all that it held: once a collection has taken an old table for
// long-lived, whatever passes through the map afterwards stays in memory until a full collection. Knows nothing of calls.

const FIRST_LENGTH = 4;
/** Places beyond this are given up when all have left. */
const KEPT_LENGTH = 256;

/** Gives its values keys of its own: whole numbers that only grow, so that a key of old never finds a newer value. */
export class InFlight<T extends object> {
  /** A key's place is its last bits; the lengths are powers of two, and half of the places at least are free. */
  #values: (T | undefined)[] = places(FIRST_LENGTH);
  #keys: number[] = keys(FIRST_LENGTH);
  #lastKey = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The key for the value that is added next. */
  nextKey(): number {
    if (2 * (this.#size + 1) > this.#values.length) this.#grow();
    do this.#lastKey += 1;
    while (this.#values[this.#placeOf(this.#lastKey)] !== undefined);
    return this.#lastKey;
  }

  /** `key` is one that `nextKey` gave. */
  set(key: number, value: T): void {
    this.delete(key);
    while (this.#values[this.#placeOf(key)] !== undefined) this.#grow();
    this.#values[this.#placeOf(key)] = value;
    this.#keys[this.#placeOf(key)] = key;
    this.#size += 1;
  }

  get(key: number): T | undefined {
    const place = this.#placeOf(key);
    return this.#keys[place] === key ? this.#values[place] : undefined;
  }

  delete(key: number): void {
    if (this.get(key) === undefined) return;
    this.#values[this.#placeOf(key)] = undefined;
    this.#size -= 1;
    if (this.#size === 0 && this.#values.length > KEPT_LENGTH) this.#lay(FIRST_LENGTH);
  }

  /** Any one that is wanted, without the cost of a list. */
  find(isWanted: (value: T) => boolean): T | undefined {
    return this.#values.find((value) => value !== undefined && isWanted(value));
  }

  /** In the order in which they got their keys. */
  values(): T[] {
    const found: { readonly key: number; readonly value: T }[] = [];
    for (const [place, value] of this.#values.entries()) {
      const key = this.#keys[place];
      if (value !== undefined && key !== undefined) found.push({ key, value });
    }
    return found.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }

  #placeOf(key: number): number {
    return key & (this.#values.length - 1);
  }

  /** What had a place of its own has one in twice as many. */
  #grow(): void {
    this.#lay(2 * this.#values.length);
  }

  #lay(length: number): void {
    const [oldKeys, oldValues] = [this.#keys, this.#values];
    this.#values = places(length);
    this.#keys = keys(length);
    for (const [place, value] of oldValues.entries()) {
      const key = oldKeys[place];
      if (value === undefined || key === undefined) continue;
      this.#values[this.#placeOf(key)] = value;
      this.#keys[this.#placeOf(key)] = key;
    }
  }
}

function places(length: number): undefined[] {
  return new Array<undefined>(length).fill(undefined);
}

function keys(length: number): number[] {
  return new Array<number>(length).fill(0);
}
