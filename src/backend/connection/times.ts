// Every time constant of the calls on one connection, in one place: the test beside it asserts their order.

export const TIMES = {
  /** If a timer fires later than this, the process was stopped or busy, and messages may wait unread in the pipe. */
  STALL_MS: 50,
  /** An answer with the text of a number as its id waits this long for one with the number, until it is known which the server sends. */
  TEXT_ID_MS: 60,
  /** After such a stall, what waits in the pipe is read for this long before any deadline is judged. */
  READ_GRACE_MS: 100,
  /** Questions of one call that come within this time are put together. Meanwhile the call keeps its turn. */
  TOGETHER_MS: 250,
  /** For this long after a call was answered or given up, a message that names no call may be about it. */
  LATE_MS: 300,
  /** If all calls seem to wait for each other for this long, one of their questions is refused. */
  STUCK_MS: 500,
  /** A server asks for the roots within this time of its start, or of the news that they have changed. */
  ROOTS_QUESTION_MS: 2_000,
  /** The same as LATE_MS for a call given up, if the server was seen to go on with such calls. Its answer ends that. */
  WORKS_ON_MS: 20_000,
  /** A question waits this long until it is clear whose it is. Then it is refused. */
  HELD_QUESTION_MS: 30_000,
  /** What was learned about a server is forgotten if it was not seen again for this long. */
  HABIT_MS: 24 * 3_600_000,
  /** Measured from the start of a call: progress moves its deadline up to here and no further. */
  PROGRESS_CAP_MS: 24 * 3_600_000,
} as const;

/** A tool after which the server kept silent this many times is taken for one that says all before its answer. */
export const QUIET_CALLS = 4;
