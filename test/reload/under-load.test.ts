// The configuration is edited while clients call; under-load.ts does the same at full size.

import { expect, test } from "bun:test";
import { reloadUnderLoad } from "./under-load.ts";

test("edits disturb no call, not even on what they change, and leave no process", async () => {
  const clients = 8;
  const report = await reloadUnderLoad({ edits: 8, clients });
  // How many calls come to pass between the edits is the machine's to say.
  expect(report.steady.calls).toBeGreaterThan(2 * clients);
  expect(report.changing.calls).toBeGreaterThan(clients / 2);
  expect(report.steady.failures).toEqual([]);
  expect(report.changing.failures).toEqual([]);
  expect(report.pidsAfter).toEqual(report.pidsBefore);
  expect(report.processesLeft).toBeLessThanOrEqual(3);
}, 60_000);
