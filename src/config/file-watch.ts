// Says when a file may have changed: at once where its folder tells, after a few seconds where it does not (network and
// bind mounts). Looks at the file from outside and never into it.

import { type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";

export interface FileWatchOptions {
  /** How long the file must have been left alone: editors write in several steps. */
  readonly settleMs?: number;
  /** A file that is never left alone is taken up after this long. */
  readonly patienceMs?: number;
  /** How often to look where nobody tells. */
  readonly pollMs?: number;
}

const DEFAULTS = { settleMs: 150, patienceMs: 1_000, pollMs: 3_000 };

export class FileWatch implements Disposable {
  readonly #path: string;
  readonly #options: Required<FileWatchOptions>;
  /** What the file looked like when it was last reported, or at the beginning. */
  #seen: string;
  #onChange: (() => void) | undefined;
  #watchers: FSWatcher[] = [];
  #poll: ReturnType<typeof setInterval> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  /** Changes count from now on, though they are told only after `start`: read the file in between and miss none. */
  constructor(path: string, options: FileWatchOptions = {}) {
    this.#path = path;
    this.#options = { ...DEFAULTS, ...options };
    this.#seen = look(path);
  }

  start(onChange: () => void): void {
    this.#onChange = onChange;
    this.#listen();
    this.#poll = setInterval(() => this.#check(), this.#options.pollMs);
    this.#poll.unref();
    this.#check();
  }

  [Symbol.dispose](): void {
    this.#onChange = undefined;
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
  }

  /** The folder and not the file: editors put a new file in the place of the old, and mounts turn a link around. */
  #listen(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = foldersOf(this.#path).flatMap((folder) => {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#check());
        watcher.on("error", () => watcher.close());
        return [watcher];
      } catch {
        return []; // Then there is the poll.
      }
    });
  }

  #check(): void {
    const now = look(this.#path);
    if (now === this.#seen || this.#settling !== undefined) return;
    this.#settle(now, performance.now() + this.#options.patienceMs);
  }

  #settle(before: string, untilMs: number): void {
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      const now = look(this.#path);
      if (now !== before && performance.now() < untilMs) return this.#settle(now, untilMs);
      this.#seen = now;
      this.#listen();
      this.#onChange?.();
      // It may have changed while the watchers were set anew.
      this.#check();
    }, this.#options.settleMs);
  }
}

/** Which file it is and when it was written, to the nanosecond; a missing one looks like a missing one. */
function look(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  }
}

/** Where it is named, and where it is. */
function foldersOf(path: string): string[] {
  try {
    return [...new Set([dirname(path), dirname(realpathSync(path))])];
  } catch {
    return [dirname(path)];
  }
}
