// Keeps on disk which sessions their clients ended, so that they stay ended when the gateway starts again.

import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { randomName } from "../digest.ts";
import type { Log } from "../log.ts";
import { readSmallText } from "../small-file.ts";
import { type EndedRecord, EndedSessions } from "./sessions.ts";

/** Much more than `MAX_ENDED` lines need. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** The name of a session in `EndedSessions` and the time of its issue. Other lines are skipped. */
const LINE = /^([\w-]{8}) (\d{1,15})$/;
const FORGOTTEN = /^before (\d{1,15})$/;

/**
 * The sessions ended so far. If the file exists but cannot be read, any session may have been ended, so all sessions of
 * earlier processes must be opened again.
 */
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

  read(): EndedRecord {
    const issuedMs = new Map<string, number>();
    try {
      let forgottenMs = -1;
      for (const line of readSmallText(this.#path, MAX_FILE_BYTES).split("\n")) {
        const [, name, atMs] = LINE.exec(line) ?? [];
        if (name !== undefined) issuedMs.set(name, Number(atMs));
        forgottenMs = Math.max(forgottenMs, Number(FORGOTTEN.exec(line)?.[1] ?? -1));
      }
      return { issuedMs, forgottenMs };
    } catch (thrown) {
      if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")
        return { issuedMs, forgottenMs: -1 };
      this.#warn("the list of ended sessions could not be read: all sessions must be opened again", thrown);
      return { issuedMs, forgottenMs: Date.now() };
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
      ended.learn(this.read());
      const { issuedMs, forgottenMs } = ended.record;
      const lines = [...issuedMs].map(([name, atMs]) => `${name} ${atMs}\n`);
      const head = forgottenMs < 0 ? "" : `before ${forgottenMs}\n`;
      await writeFile(temporary, head + lines.join(""), { mode: 0o600, flag: "wx" });
      await rename(temporary, this.#path);
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => undefined);
      this.#warn("the list of ended sessions could not be saved: after a restart they count as open", thrown);
    }
  }

  #warn(message: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    this.#log.warning(message, { path: this.#path, error });
  }
}
