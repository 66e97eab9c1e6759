// Every time constant of the calls on one connection, in one place: the test beside it asserts their order.

export const TIMES = {
  /** If a timer fires later than this, the process was stopped or busy, and messages may be unread in the pipe. */
  STALL_MS: 50,
  /** An answer with a string id ("7") waits this long for one with the number, until it is known which the server sends. */
  TEXT_ID_MS: 60,
  /** After such a stall, waiting input is read for this long before deadlines are checked. */
  READ_GRACE_MS: 100,
  /** Questions of one call that arrive within this time count as one wait. Meanwhile the call keeps its turn. */
  TOGETHER_MS: 250,
  /** For this long after a call was answered or given up, a message that names no call may be about it. */
  LATE_MS: 300,
  /** If all calls seem to wait for each other for this long, one of their questions is refused. */
  STUCK_MS: 500,
  /** A server asks for the roots within this time of its start, or of the news that they have changed. */
  ROOTS_QUESTION_MS: 2_000,
  /** Replaces LATE_MS for a call given up, if the server was seen to continue such calls, until it answers the call. */
  WORKS_ON_MS: 20_000,
  /** A question waits at most this long until its call is known. Then it is refused. */
  HELD_QUESTION_MS: 30_000,
  /** What was learned about a server is forgotten if it was not seen again for this long. */
  HABIT_MS: 24 * 3_600_000,
  /** Measured from the start of a call: progress moves its deadline up to here and no further. */
  PROGRESS_CAP_MS: 24 * 3_600_000,
} as const;

/** A tool is trusted to send nothing late after this many calls that were followed by silence. */
export const QUIET_CALLS = 4;
