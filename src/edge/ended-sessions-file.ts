// Keeps on disk which sessions their clients ended, so that they stay ended when the gateway starts again.

import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { randomName } from "../digest.ts";
import type { Log } from "../log.ts";
import { readSmallText } from "../small-file.ts";
import { EndedSessions, MAX_ENDED } from "./sessions.ts";

/** One name of `EndedSessions` on each line, or a whole signature; whatever else stands in the file is skipped. */
/** Many times what `MAX_ENDED` lines take. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const LINE = /^([\w-]{8})(?:[\w-]{16})?$/;

/** The sessions ended so far. A file that cannot be used costs the memory of them over a restart, and no more. */
export function openEndedSessions(path: string, log: Log): EndedSessions {
  const file = new EndedSessionsFile(path, log);
  return new EndedSessions(file.read(), (ended) => file.save(ended));
}

class EndedSessionsFile {
  readonly #path: string;
  readonly #log: Log;
  #writing = Promise.resolve();
  /** Set while a write waits for the one before it: it will write all that was added until it begins. */
  #next: Promise<void> | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  read(): string[] {
    try {
      const lines = readSmallText(this.#path, MAX_FILE_BYTES).split("\n");
      return lines.flatMap((line) => LINE.exec(line)?.[1] ?? []).slice(-MAX_ENDED);
    } catch (thrown) {
      const isMissing = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
      if (!isMissing) this.#warn("which sessions were ended could not be read", thrown);
      return [];
    }
  }

  /** Resolves when the file holds them, or cannot. Never rejects. */
  save(ended: EndedSessions): Promise<void> {
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return this.#write(ended);
    });
    this.#writing = this.#next;
    return this.#next;
  }

  async #write(ended: EndedSessions): Promise<void> {
    const temporary = `${this.#path}.${process.pid}-${randomName(6)}`;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      // Another gateway of this machine may have ended sessions of its own in the meantime.
      const all = [...new Set([...this.read(), ...ended.names])].slice(-MAX_ENDED);
      await writeFile(temporary, `${all.join("\n")}\n`, { mode: 0o600, flag: "wx" });
      await rename(temporary, this.#path);
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => undefined);
      this.#warn("which sessions were ended could not be kept: a restart will take them for open", thrown);
    }
  }

  #warn(message: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    this.#log.warning(message, { path: this.#path, error });
  }
}
