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
/** Of the ids that clients ended, the oldest is forgotten first. */
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
    return this.#keep(mintSessionId(this.#seal, target.name, facts), target, facts);
  }

  /** The session with this id, or undefined where it is not ours, not this target's, not this principal's, or ended. */
  find(id: string, target: Target, principal: string): HttpSession | undefined {
    const live = this.#live.get(id);
    if (live !== undefined) return live.isFor(target.name, principal) ? this.#touch(live) : undefined;
    const facts = readSessionId(this.#seal, target.name, id);
    if (facts === undefined || facts.principal !== principal || this.#ended.has(id)) return undefined;
    this.#log.info("a session goes on", { client: facts.clientInfo?.name, target: target.name });
    return this.#keep(id, target, facts);
  }

  /** Ends a session for good: its id is never accepted again. Resolves when a restart will not forget it. */
  async end(session: HttpSession): Promise<void> {
    const kept = this.#ended.add(session.id);
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

/**
 * The ids that a client ended by DELETE, newest last: of each the first bytes of its signature, enough to know it again
 * and too little to be one. As numbers, for strings of so many sessions would hold on to all the memory between them.
 */
export class EndedSessions {
  readonly #keys = new Set<number>();
  readonly #keep: ((ended: EndedSessions) => Promise<void>) | undefined;

  /** `keep` puts them where the next process finds them, by their `names`. */
  constructor(names: Iterable<string> = [], keep?: (ended: EndedSessions) => Promise<void>) {
    for (const name of names) this.#keys.add(keyOf(name));
    this.#keep = keep;
  }

  /** Eight characters for each, oldest first. */
  get names(): string[] {
    return [...this.#keys].map(nameOf);
  }

  has(id: string): boolean {
    return this.#keys.has(keyOf(signatureOf(id)));
  }

  /** Resolves when it is kept. */
  async add(id: string): Promise<void> {
    this.#keys.add(keyOf(signatureOf(id)));
    for (const oldest of this.#keys) {
      if (this.#keys.size <= MAX_ENDED) break;
      this.#keys.delete(oldest);
    }
    await this.#keep?.(this);
  }
}

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
