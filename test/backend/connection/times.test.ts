// The time constants hold together only in this order.

import { expect, test } from "bun:test";
import { QUIET_CALLS, TIMES } from "../../../src/backend/connection/times.ts";
import { configOf } from "../rig.ts";

test("each wait is longer than those that it must outlast", () => {
  const inOrder = [
    TIMES.STALL_MS,
    TIMES.TEXT_ID_MS,
    // What waits in the pipe is read before anything else is judged.
    TIMES.READ_GRACE_MS,
    // Questions that are put together come before others may run.
    TIMES.TOGETHER_MS,
    // A call that asked is no candidate any more when one that it let in has ended.
    TIMES.LATE_MS,
    // Late words have come before calls seem stuck.
    TIMES.STUCK_MS,
    TIMES.ROOTS_QUESTION_MS,
    TIMES.WORKS_ON_MS,
    // A question outlasts the call that was given up beside it.
    TIMES.HELD_QUESTION_MS,
    TIMES.HABIT_MS,
  ];
  expect(inOrder).toEqual([...new Set(inOrder)].sort((a, b) => a - b));
  expect(TIMES.PROGRESS_CAP_MS).toBeGreaterThanOrEqual(TIMES.HABIT_MS);
  expect(QUIET_CALLS).toBeGreaterThan(1);
});

test("with the default settings a question is held no longer than a call and a person may take", () => {
  const { requestTimeoutMs, questionTimeoutMs } = configOf("it", { command: "x" });
  expect(TIMES.HELD_QUESTION_MS).toBeLessThanOrEqual(requestTimeoutMs);
  expect(requestTimeoutMs).toBeLessThanOrEqual(questionTimeoutMs);
  expect(questionTimeoutMs).toBeLessThan(TIMES.PROGRESS_CAP_MS);
});
