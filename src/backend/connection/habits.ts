// What was learned about how a server sends messages that name no call. It applies to the server's next process too, and is
// forgotten if it was not seen again for a while. Knows no process.

import { TIMES } from "./times.ts";

/** Each habit, in words for a person. */
const WORDS = {
  asks: "asks questions without naming the call, so its calls run one at a time",
  asksForRoots: "asks for roots when it starts, so its first call runs alone until it has asked",
  logs: "logs without naming the call, so calls that want log lines run one at a time",
  speaksLate: "sends messages about a call after its answer, so the next client's call waits for a moment",
  speaksWhileAsking:
    "sends messages while it waits for the answer to a question, so messages beside other calls may be withheld",
  worksOn: "continues calls that were cancelled",
} as const;

export type Habit = keyof typeof WORDS;
/** When each was seen last, in milliseconds since 1970. */
export type HabitsRecord = Readonly<Record<string, number>>;

const NAMES = Object.keys(WORDS) as Habit[];
/** A habit that is seen all the time is saved this often. */
const RENEW_MS = TIMES.HABIT_MS / 24;

export class Habits {
  readonly #seenAtMs = new Map<Habit, number>();
  readonly #onLearned: (words: string) => void;
  readonly #onChanged: () => void;

  /** `onLearned` gets a new habit in words; `onChanged` is called when there is something to save. */
  constructor(onLearned: (words: string) => void, onChanged: () => void) {
    this.#onLearned = onLearned;
    this.#onChanged = onChanged;
  }

  has(habit: Habit): boolean {
    const seenAtMs = this.#seenAtMs.get(habit);
    return seenAtMs !== undefined && Date.now() - seenAtMs < TIMES.HABIT_MS;
  }

  /** The server has just shown this habit. */
  note(habit: Habit): void {
    const isNew = !this.has(habit);
    const seenAtMs = this.#seenAtMs.get(habit) ?? 0;
    if (!isNew && Date.now() - seenAtMs < RENEW_MS) return;
    this.#seenAtMs.set(habit, Date.now());
    if (isNew) this.#onLearned(WORDS[habit]);
    this.#onChanged();
  }

  /** What is known now, in words. */
  describe(): string[] {
    return NAMES.filter((habit) => this.has(habit)).map((habit) => WORDS[habit]);
  }

  record(): HabitsRecord {
    return Object.fromEntries([...this.#seenAtMs].filter(([habit]) => this.has(habit)));
  }

  restore(record: HabitsRecord): void {
    this.#seenAtMs.clear();
    for (const habit of NAMES) {
      const seenAtMs = record[habit];
      if (seenAtMs !== undefined) this.#seenAtMs.set(habit, Math.min(seenAtMs, Date.now()));
    }
  }
}
