// JSON passes as it was written, on every route: `scripts/fuzz --texts N` plays the same for long.

import { expect, setDefaultTimeout, test } from "bun:test";
import { play } from "../unaltered/play.ts";

setDefaultTimeout(120_000);

test("documents of every form pass every route unaltered, awake, asleep and after a restart", async () => {
  const { findings, compared, routes } = await play({ seed: 7, documents: 200, perCall: 20 });
  expect(findings).toEqual([]);
  expect(compared).toBeGreaterThan(200 * routes);
});
