// Decides when the lists of one connection are read: all of them at the start, and each again after the server sends a
// notice that it has changed. One read of a list runs at a time, and one more follows the last notice. If reads find no change,
// the pause between them grows, because some servers send a notice with every list. Clients get a notice for every change that
// a read finds, and for a few notices without a change, because the server may have changed what the gateway cannot compare.

import type { Notification } from "../protocol/jsonrpc.ts";
import { STALE_AFTER } from "../protocol/mcp.ts";

/** The pause after a read, at first and at most: it grows while reads find no change. */
export const FIRST_PAUSE_MS = 250;
export const LONGEST_PAUSE_MS = 30_000;
/** So many notices without a change are passed to clients, until the server was quiet for one pause. */
export const NOTICES_WITHOUT_CHANGE = 3;

/** `failed`: the server returned no list although it still runs. */
export type ReadOutcome = "changed" | "unchanged" | "failed" | "gone";

export interface ListRefreshOptions {
  /** Reads the lists of these methods and notifies clients of each change. Never rejects. */
  readonly read: (methods: readonly string[]) => Promise<ReadOutcome>;
  /** Passes on a notice to the clients. */
  readonly deliver: (notice: Notification) => void;
}

/** One kind of list that is being read, or is in the pause after a read. */
interface Cycle {
  /** The newest notice since the last read began. */
  notice: Notification | undefined;
  /** How many notices were passed on although the read found no change. */
  told: number;
  pauseMs: number;
}

export class ListRefresh {
  readonly #options: ListRefreshOptions;
  readonly #cycles = new Map<string, Cycle>();

  constructor(options: ListRefreshOptions) {
    this.#options = options;
  }

  /** Reads all lists, one after the other. Resolves when each was read once. */
  async readAll(): Promise<void> {
    const kinds = [...STALE_AFTER.keys()];
    for (const kind of kinds) this.#cycles.set(kind, { notice: undefined, told: 0, pauseMs: 0 });
    for (const kind of kinds) {
      const cycle = this.#cycles.get(kind);
      if (cycle !== undefined) await this.#read(kind, cycle);
    }
  }

  /** The server says that lists of one kind have changed. */
  notice(notice: Notification): void {
    const busy = this.#cycles.get(notice.method);
    if (busy !== undefined) {
      busy.notice = notice;
      return;
    }
    const cycle = { notice, told: 0, pauseMs: 0 };
    this.#cycles.set(notice.method, cycle);
    void this.#read(notice.method, cycle);
  }

  async #read(kind: string, cycle: Cycle): Promise<void> {
    const { notice } = cycle;
    cycle.notice = undefined;
    const outcome = await this.#options.read(STALE_AFTER.get(kind) ?? []);
    if (outcome === "gone") return void this.#cycles.delete(kind);
    if (notice !== undefined && outcome !== "changed" && cycle.told < NOTICES_WITHOUT_CHANGE) {
      cycle.told += 1;
      this.#options.deliver(notice);
    }
    const isNews = outcome === "changed" || cycle.pauseMs === 0;
    cycle.pauseMs = isNews ? FIRST_PAUSE_MS : Math.min(2 * cycle.pauseMs, LONGEST_PAUSE_MS);
    setTimeout(() => this.#resume(kind, cycle), cycle.pauseMs).unref();
  }

  #resume(kind: string, cycle: Cycle): void {
    if (cycle.notice === undefined) this.#cycles.delete(kind);
    else void this.#read(kind, cycle);
  }
}
