// Slow runs side by side, as many as the machine can bear.

/** Plays all, a few at a time, in their order; every result can be awaited by itself. */
export function playAll<T, R>(
  all: readonly T[],
  atOnce: number,
  play: (one: T) => Promise<R>,
): ReadonlyMap<T, Promise<R>> {
  const results = new Map(all.map((one) => [one, Promise.withResolvers<R>()]));
  // One that fails before anybody waits for it is no unhandled failure: whoever waits will see it.
  for (const { promise } of results.values()) promise.catch(() => {});
  const waiting = [...results];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [one, { resolve, reject }] = next;
      await play(one).then(resolve, reject);
    }
  };
  for (let worker = 0; worker < atOnce; worker++) void work();
  return new Map([...results].map(([one, { promise }]) => [one, promise]));
}
