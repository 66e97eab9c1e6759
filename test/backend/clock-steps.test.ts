// Whoever sets the system's clock while the gateway runs moves none of its deadlines.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { Failures } from "../../src/backend/failures.ts";
import { waitWhile } from "../../src/backend/wait-while.ts";

afterEach(() => void setSystemTime());

const DAY_MS = 24 * 3_600_000;

test("a backend that failed is tried again when it would have been anyway", () => {
  for (const stepMs of [-DAY_MS, DAY_MS]) {
    const failures = new Failures("it");
    const failed = failures.add(new Error("broken"), false, { name: "stopped" });
    setSystemTime(Date.now() + stepMs);
    expect(() => failures.throwIfTooEarly(failed)).toThrow(/possible in 1 s/);
    expect(failed.retryAtMs - performance.now()).toBeLessThan(60_000);
    setSystemTime();
  }
});

test("a bounded wait ends, and not at once", async () => {
  let isTrue = true;
  const wait = waitWhile(() => isTrue, 60_000);
  setSystemTime(Date.now() + DAY_MS);
  expect(await Promise.race([wait.then(() => "ended"), Bun.sleep(60).then(() => "waits")])).toBe("waits");
  isTrue = false;
  await wait;
  const bounded = waitWhile(() => true, 30);
  setSystemTime(Date.now() - 2 * DAY_MS);
  await bounded;
});
