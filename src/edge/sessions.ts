// All legacy HTTP sessions of one process: found by id, made again from the id alone after a restart, bounded in number.

import type { Log } from "../log.ts";
import type { Target } from "../target/target.ts";
import type { Heartbeat } from "./event-sink.ts";
import { HttpSession } from "./http-session.ts";
import type { SessionFacts } from "./legacy-session.ts";
import type { Seal } from "./seal.ts";
import { mintSessionId, readSessionId } from "./session-ids.ts";

/** What is kept of a session beside its id is forgotten after this long without use; the id itself stays good. */
const IDLE_MS = 24 * 3_600_000;
const MAX_SESSIONS = 10_000;
/** Beyond that, see `EndedSessions`. */
export const MAX_ENDED = 10_000;

export class Sessions implements Disposable {
  readonly #seal: Seal;
  readonly #log: Log;
  readonly #heartbeat: Heartbeat;
  /** Least recently used first. */
  readonly #live = new Map<string, HttpSession>();
  #newest: HttpSession | undefined;
  readonly #ended: EndedSessions;

  constructor(options: { seal: Seal; log: Log; heartbeat: Heartbeat; ended: EndedSessions }) {
    this.#seal = options.seal;
    this.#log = options.log;
    this.#heartbeat = options.heartbeat;
    this.#ended = options.ended;
  }

  get count(): number {
    return this.#live.size;
  }

  open(target: Target, facts: SessionFacts): HttpSession {
    const { name, version } = facts.clientInfo ?? {};
    this.#log.info("a client opens a session", {
      client: name,
      version,
      revision: facts.revision,
      target: target.name,
    });
    // Later than all sessions that may count as ended, also if the clock was set back.
    const issuedAtMs = Math.max(Date.now(), this.#ended.forgottenMs + 1);
    return this.#keep(mintSessionId(this.#seal, target.name, { facts, issuedAtMs }), target, facts);
  }

  /** The session with this id, or undefined where it is not ours, not this target's, not this principal's, or ended. */
  find(id: string, target: Target, principal: string): HttpSession | undefined {
    const live = this.#live.get(id);
    if (live !== undefined) return live.isFor(target.name, principal) ? this.#touch(live) : undefined;
    const read = readSessionId(this.#seal, target.name, id);
    if (read?.facts.principal !== principal || this.#ended.has(id, read.issuedAtMs)) return undefined;
    const { facts } = read;
    this.#log.info("a session goes on", { client: facts.clientInfo?.name, target: target.name });
    return this.#keep(id, target, facts);
  }

  /** Ends a session for good: its id is never accepted again. Resolves when a restart will not forget it. */
  async end(session: HttpSession): Promise<void> {
    const { issuedAtMs } = readSessionId(this.#seal, session.targetName, session.id) ?? { issuedAtMs: 0 };
    const kept = this.#ended.add(session.id, issuedAtMs);
    this.#forget(session);
    await kept;
  }

  /** A target is gone, and so are its sessions: no request finds them. What they still do ends with the disposal. */
  endAllOf(targetName: string): Disposable {
    const ended = [...this.#live.values()].filter((session) => session.targetName === targetName);
    for (const session of ended) this.#live.delete(session.id);
    return {
      [Symbol.dispose]: () => {
        for (const session of ended) session[Symbol.dispose]();
      },
    };
  }

  [Symbol.dispose](): void {
    for (const session of this.#live.values()) this.#forget(session);
  }

  #keep(id: string, target: Target, facts: SessionFacts): HttpSession {
    this.#makeRoom();
    const session = new HttpSession({ id, facts, target, log: this.#log, heartbeat: this.#heartbeat });
    this.#live.set(id, session);
    this.#newest = session;
    return session;
  }

  #touch(session: HttpSession): HttpSession {
    session.lastUsedMs = Date.now();
    if (session === this.#newest) return session;
    this.#newest = session;
    this.#live.delete(session.id);
    this.#live.set(session.id, session);
    return session;
  }

  #makeRoom(): void {
    const oldestMs = Date.now() - IDLE_MS;
    for (const session of this.#live.values()) {
      const isDue = session.lastUsedMs < oldestMs || this.#live.size >= MAX_SESSIONS;
      if (!isDue) return;
      if (!session.isBusy) this.#forget(session);
    }
  }

  #forget(session: HttpSession): void {
    this.#live.delete(session.id);
    session[Symbol.dispose]();
  }
}

/** The ended sessions, as they are stored. */
export interface EndedRecord {
  /** The time of issue of each ended session, by its name: the first eight characters of its signature. */
  readonly issuedMs: ReadonlyMap<string, number>;
  readonly forgottenMs: number;
}

/**
 * The sessions that clients ended by DELETE, a bounded number of them. The sessions that were issued first are forgotten first;
 * from then on every session issued at that time or before counts as ended, unless it is in memory. So an ended session
 * never continues, and an equally old one that was not ended must be opened again after a restart.
 * Of each id only the first bytes of its signature are kept: enough to recognise it, too little to use it. They are kept as
 * numbers, because many small strings would keep larger pieces of memory alive.
 */
export class EndedSessions {
  readonly #issuedMs = new Map<number, number>();
  readonly #keep: ((ended: EndedSessions) => Promise<void>) | undefined;
  #forgottenMs = -1;

  /** `keep` stores them for the next process. */
  constructor(known?: EndedRecord, keep?: (ended: EndedSessions) => Promise<void>) {
    this.#keep = keep;
    if (known !== undefined) this.learn(known);
  }

  /** Sessions issued until then count as ended, unless they are in memory; negative if nothing was forgotten. */
  get forgottenMs(): number {
    return this.#forgottenMs;
  }

  get record(): EndedRecord {
    const issuedMs = new Map([...this.#issuedMs].map(([key, atMs]) => [nameOf(key), atMs]));
    return { issuedMs, forgottenMs: this.#forgottenMs };
  }

  has(id: string, issuedAtMs: number): boolean {
    return issuedAtMs <= this.#forgottenMs || this.#issuedMs.has(keyOf(signatureOf(id)));
  }

  /** Resolves when the session is stored. */
  async add(id: string, issuedAtMs: number): Promise<void> {
    this.#issuedMs.set(keyOf(signatureOf(id)), issuedAtMs);
    this.#makeRoom();
    await this.#keep?.(this);
  }

  /** Adds sessions that another process ended. */
  learn({ issuedMs, forgottenMs }: EndedRecord): void {
    for (const [name, atMs] of issuedMs) this.#issuedMs.set(keyOf(name), atMs);
    this.#forgottenMs = Math.max(this.#forgottenMs, forgottenMs);
    this.#makeRoom();
  }

  #makeRoom(): void {
    const tooMany = this.#issuedMs.size - MAX_ENDED;
    if (tooMany <= 0) return;
    const oldest = [...this.#issuedMs.values()].sort((a, b) => a - b)[tooMany + SPARE - 1] ?? 0;
    this.#forgottenMs = Math.max(this.#forgottenMs, oldest);
    for (const [key, atMs] of this.#issuedMs) if (atMs <= this.#forgottenMs) this.#issuedMs.delete(key);
  }
}

/** So many are forgotten at once, because each removal sorts all of them. */
const SPARE = 100;
const KEY_BYTES = 6;
const NAME_LENGTH = (KEY_BYTES * 8) / 6;

function signatureOf(id: string): string {
  return id.slice(id.indexOf(".") + 1);
}

function keyOf(signature: string): number {
  const bytes = Buffer.alloc(KEY_BYTES);
  bytes.write(signature.slice(0, NAME_LENGTH), "base64url");
  return bytes.readUIntBE(0, KEY_BYTES);
}

function nameOf(key: number): string {
  const bytes = Buffer.alloc(KEY_BYTES);
  bytes.writeUIntBE(key, 0, KEY_BYTES);
  return bytes.toString("base64url");
}
