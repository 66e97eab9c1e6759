// Whether somebody still wants a call. Pure, and a fraction of what the runtime's AbortSignal costs: that one is made only
// where something outside (fetch, AbortSignal.any) needs it.

/** What a wait needs to know of its end. Every AbortSignal is one. */
export interface Abortable {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: AbortListener): void;
  removeEventListener(type: "abort", listener: AbortListener): void;
}

/** As the runtime's signals take them. */
export type AbortListener = (() => void) | { handleEvent(): void };

export class Cancellation implements Abortable {
  #isAborted = false;
  /** Nearly always the only one. */
  #first: AbortListener | undefined;
  #others: Set<AbortListener> | undefined;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#isAborted;
  }

  /** The listener is called once; never where the call was cancelled before. */
  addEventListener(_type: "abort", listener: AbortListener): void {
    if (this.#first === undefined) {
      this.#first = listener;
    } else {
      this.#others ??= new Set();
      this.#others.add(listener);
    }
  }

  removeEventListener(_type: "abort", listener: AbortListener): void {
    if (this.#first === listener) this.#first = undefined;
    else this.#others?.delete(listener);
  }

  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    if (this.#first !== undefined) tell(this.#first);
    for (const listener of this.#others ?? []) tell(listener);
    this.#controller?.abort();
  }

  /** The same as a signal of the runtime. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }
}

function tell(listener: AbortListener): void {
  if (typeof listener === "function") listener();
  else listener.handleEvent();
}

/** As a signal of the runtime. */
export function signalOf(abortable: Abortable): AbortSignal {
  if (abortable instanceof AbortSignal) return abortable;
  if (abortable instanceof Cancellation) return abortable.signal;
  const controller = new AbortController();
  abortable.addEventListener("abort", () => controller.abort());
  if (abortable.aborted) controller.abort();
  return controller.signal;
}

/** Waits until the promise is settled or the signal is aborted, whichever is first. Never rejects. */
export function untilAborted(promise: Promise<unknown>, signal: Abortable): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener("abort", finish);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", finish);
    void promise.then(finish, finish);
  });
}
