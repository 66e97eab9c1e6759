// The configuration is edited while clients call; under-load.ts does the same at full size.

import { expect, test } from "bun:test";
import { reloadUnderLoad } from "./under-load.ts";

test("edits disturb no call, not even on what they change, and leave no process", async () => {
  const report = await reloadUnderLoad({ edits: 8, clients: 8 });
  expect(report.steady.calls).toBeGreaterThan(100);
  expect(report.changing.calls).toBeGreaterThan(10);
  expect(report.steady.failures).toEqual([]);
  expect(report.changing.failures).toEqual([]);
  expect(report.pidsAfter).toEqual(report.pidsBefore);
  expect(report.processesLeft).toBeLessThanOrEqual(3);
}, 60_000);
