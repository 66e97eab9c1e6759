// Which documents a word occurs in, and how much it counts there. Words and documents are numbers here.

export class Postings {
  /** By word: a document, its weight, the next document, its weight … */
  readonly #lists: number[][] = [];

  add(word: number, document: number, weight: number): void {
    const list = this.#lists[word];
    if (list === undefined) this.#lists[word] = [document, weight];
    else list.push(document, weight);
  }

  /** Documents at even places, each followed by the weight of the word there. */
  of(word: number): readonly number[] {
    return this.#lists[word] ?? NONE;
  }

  /** In how many documents. */
  count(word: number): number {
    return this.of(word).length / 2;
  }

  remove(word: number, isRemoved: (document: number) => boolean): void {
    const list = this.#lists[word];
    if (list === undefined) return;
    let kept = 0;
    for (let i = 0; i < list.length; i += 2) {
      const document = list[i] ?? 0;
      if (isRemoved(document)) continue;
      list[kept] = document;
      list[kept + 1] = list[i + 1] ?? 0;
      kept += 2;
    }
    list.length = kept;
  }
}

const NONE: readonly number[] = [];
