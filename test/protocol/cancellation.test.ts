// What cancels a call tells everybody once, and is a signal of the runtime for those who need one.

import { describe, expect, test } from "bun:test";
import { type Abortable, Cancellation, signalOf } from "../../src/protocol/cancellation.ts";

test("every listener hears of it, once; one that was removed does not", () => {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const removed = () => void heard.push("removed");
  cancellation.addEventListener("abort", () => void heard.push("first"));
  cancellation.addEventListener("abort", removed);
  cancellation.addEventListener("abort", () => void heard.push("last"));
  cancellation.removeEventListener("abort", removed);
  expect(cancellation.aborted).toBe(false);
  cancellation.abort();
  cancellation.abort();
  expect(heard).toEqual(["first", "last"]);
  expect(cancellation.aborted).toBe(true);
});

test("a listener that removes itself keeps nobody else from hearing", () => {
  const cancellation = new Cancellation();
  const heard: number[] = [];
  for (const name of [1, 2, 3]) {
    const listener = () => {
      cancellation.removeEventListener("abort", listener);
      heard.push(name);
    };
    cancellation.addEventListener("abort", listener);
  }
  cancellation.abort();
  expect(heard).toEqual([1, 2, 3]);
});

describe("as a signal of the runtime", () => {
  test("it is aborted with it, whichever was first", () => {
    const [before, after] = [new Cancellation(), new Cancellation()];
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    before.abort();
    after.abort();
    expect([signal.aborted, before.signal === signal, after.signal.aborted]).toEqual([true, true, true]);
  });

  test("a signal is one already, and what only looks like one is followed", () => {
    const own = new AbortController().signal;
    expect(signalOf(own)).toBe(own);
    const inner = new Cancellation();
    const like: Abortable = {
      get aborted() {
        return inner.aborted;
      },
      addEventListener: (type, listener) => inner.addEventListener(type, listener),
      removeEventListener: (type, listener) => inner.removeEventListener(type, listener),
    };
    const signal = signalOf(like);
    inner.abort();
    expect([signal.aborted, signalOf(like).aborted]).toEqual([true, true]);
  });
});
