// Results that are too long for one answer: the first part at once, the rest by cursor, for a while and for its owner only.
// Must not know what a tool is.

import { randomName } from "../digest.ts";
import { silentLog } from "../log.ts";
import { type Holding, MemoryBudget } from "../memory-budget.ts";
import type { Answer, Caller } from "../protocol/call.ts";
import { changed, textOf } from "../protocol/exact.ts";
import { type Json, RpcError } from "../protocol/jsonrpc.ts";
import { readableText } from "./readable-text.ts";

/** What a token is taken for: counting them would take longer than the call. */
const CHARACTERS_PER_TOKEN = 4;
const PREFIX = "part-";
const CURSOR = /^part-([\w-]{16})-(\d{1,12})$/;

export interface LargeResultsLimits {
  readonly ttlMs: number;
  readonly maxCount: number;
  /** Of all that are kept. */
  readonly maxCharacters: number;
}

const LIMITS: LargeResultsLimits = { ttlMs: 600_000, maxCount: 100, maxCharacters: 32_000_000 };

interface Kept {
  readonly held: Holding;
  readonly owner: string;
  readonly text: string;
  /** What came but was too long to be kept. */
  readonly lost: number;
  readonly isError: boolean;
  /** What the next call must say besides the cursor. */
  readonly names: Json;
  usedMs: number;
}

interface Ask {
  readonly caller: Caller;
  /** 0 or less: no limit. */
  readonly maxTokens: number;
}

export class LargeResults implements Disposable {
  readonly #limits: LargeResultsLimits;
  readonly #memory: MemoryBudget;
  /** The one that was used longest ago comes first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limits: Partial<LargeResultsLimits> = {}, memory = new MemoryBudget(silentLog)) {
    this.#limits = { ...LIMITS, ...limits };
    this.#memory = memory;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** The answer as it is, or the first part of its text with a cursor for the rest. What is no text stays whole. */
  shorten(answer: Answer, { caller, maxTokens }: Ask, names: Json): Answer {
    const most = maxTokens * CHARACTERS_PER_TOKEN;
    // The text on the wire is never shorter than what can be read of it.
    if (maxTokens <= 0 || (textOf(answer.result)?.length ?? Number.POSITIVE_INFINITY) <= most) return answer;
    const { text, others } = readableText(answer.result);
    if (text.length <= most) return answer;
    const { result } = answer;
    const whole = text.slice(0, this.#limits.maxCharacters);
    const id = randomName(12);
    const kept: Kept = {
      held: this.#memory.hold("results", { owner: caller.key, giveUp: () => this.#forget(id) }),
      owner: ownerOf(caller),
      text: whole,
      lost: text.length - whole.length,
      isError: result.isError === true,
      names,
      usedMs: 0,
    };
    this.#keep(id, kept);
    const content = [...part(id, kept, 0, most), ...others];
    return { result: changed(result, { structuredContent: undefined, content }) };
  }

  /** The part that a cursor stands for. Throws RpcError where there is none for this caller. */
  read(cursor: string, { caller, maxTokens }: Ask): Answer {
    const [, id = "", offset = ""] = CURSOR.exec(cursor) ?? [];
    this.#forgetOld();
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.owner !== ownerOf(caller) || Number(offset) >= kept.text.length) {
      throw new RpcError(
        -32602,
        "gateway_invoke: nothing is kept for this cursor (any more); make the call anew.",
      );
    }
    this.#forget(id);
    this.#keep(id, kept);
    const most = maxTokens <= 0 ? kept.text.length : maxTokens * CHARACTERS_PER_TOKEN;
    const content = part(id, kept, Number(offset), most);
    return { result: kept.isError ? { content, isError: true } : { content } };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const id of [...this.#kept.keys()]) this.#forget(id);
  }

  #keep(id: string, kept: Kept): void {
    kept.usedMs = performance.now();
    this.#kept.set(id, kept);
    this.#characters += kept.text.length;
    kept.held.progressed();
    if (!kept.held.set(Buffer.byteLength(kept.text))) this.#forget(id);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= this.#limits.maxCount && this.#characters <= this.#limits.maxCharacters) break;
      this.#forget(oldest);
    }
    this.#timer ??= setTimeout(() => this.#forgetOld(), this.#limits.ttlMs);
    this.#timer.unref();
  }

  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#characters -= kept.text.length;
    this.#kept.delete(id);
    kept.held[Symbol.dispose]();
  }

  #forgetOld(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const [id, { usedMs }] of this.#kept) {
      const leftMs = usedMs + this.#limits.ttlMs - nowMs;
      if (leftMs <= 0) {
        this.#forget(id);
        continue;
      }
      this.#timer = setTimeout(() => this.#forgetOld(), leftMs);
      this.#timer.unref();
      return;
    }
  }
}

/** Tools take cursors of their own; ours can be told from them. */
export function isPartCursor(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(PREFIX);
}

/** A session, or where there is none, whoever has the same token. */
function ownerOf({ era, principal, key }: Caller): string {
  return era === "legacy" ? `${principal} ${key}` : principal;
}

function part(id: string, kept: Kept, start: number, most: number): Json[] {
  const { text, lost, names } = kept;
  const end = cutAt(text, start, most);
  const blocks = [{ type: "text", text: text.slice(start, end) }];
  if (end >= text.length && lost === 0) return blocks;
  const tokens = (characters: number) => Math.ceil(characters / CHARACTERS_PER_TOKEN);
  const range = `about tokens ${tokens(start) + 1} to ${tokens(end)} of ${tokens(text.length + lost)}`;
  const next = { ...names, cursor: `${PREFIX}${id}-${end}` };
  const onward =
    end < text.length
      ? `Read on with gateway_invoke ${JSON.stringify(next)}, or call again with "select" (JMESPath) or narrower arguments.`
      : 'The rest was too long to be kept: call again with "select" (JMESPath) or narrower arguments.';
  return [...blocks, { type: "text", text: `(This is a part, ${range}. ${onward})` }];
}

/** At the end of a line where one is near; never inside of a character. */
function cutAt(text: string, start: number, most: number): number {
  const end = start + Math.max(most, 2);
  if (end >= text.length) return text.length;
  const line = text.lastIndexOf("\n", end - 1) + 1;
  if (line > end - most / 10 && line > start) return line;
  const isInside = /[\uDC00-\uDFFF]/.test(text.charAt(end));
  return isInside ? end - 1 : end;
}
