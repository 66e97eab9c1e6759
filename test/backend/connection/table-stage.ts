// A call table with made-up calls, clients and time.

import { CallTable, tableChecks } from "../../../src/backend/connection/call-table.ts";
import { Habits } from "../../../src/backend/connection/habits.ts";
import { Pending } from "../../../src/backend/connection/pending.ts";
import { Turn } from "../../../src/backend/connection/turn.ts";
import { silentLog } from "../../../src/log.ts";
import type { Caller } from "../../../src/protocol/call.ts";
import { Cancellation } from "../../../src/protocol/cancellation.ts";
import {
  type Id,
  type Json,
  type Notification,
  notification,
  type Response,
  request,
} from "../../../src/protocol/jsonrpc.ts";
import { caller, makeCall } from "../rig.ts";
import { FakeClock } from "./fake-clock.ts";

tableChecks.isOn = true;

export const REQUEST_MS = 60_000;
export const QUESTION_MS = 600_000;

/** One call of one client. */
export interface Made {
  readonly client: string;
  readonly pending: Pending;
  readonly turn: Turn;
  readonly signal: Cancellation;
  /** The ids of the questions that its client was asked, and the answers to give. */
  readonly asked: {
    readonly text: unknown;
    readonly answer: PromiseWithResolvers<Json>;
    readonly signal: AbortSignal;
  }[];
  readonly heard: Notification[];
}

export interface Options {
  readonly params?: Json;
  readonly method?: string;
  readonly caller?: Caller;
  readonly timeoutMs?: number;
}

export class Stage {
  readonly clock = new FakeClock();
  readonly learned: string[] = [];
  readonly habits = new Habits(
    (words) => void this.learned.push(words),
    () => undefined,
  );
  readonly replies: (Notification | Response)[] = [];
  readonly expired: Pending[] = [];
  readonly table = new CallTable({
    name: "it",
    log: silentLog,
    habits: this.habits,
    questionTimeoutMs: QUESTION_MS,
    onExpired: (pending) => {
      pending.answer.catch(() => undefined);
      pending.reject(new Error("late"));
      const { turn } = pending;
      if (turn !== undefined) queueMicrotask(() => this.table.leave(turn));
      this.expired.push(pending);
    },
    reply: (message) => void this.replies.push(message),
    clock: this.clock,
  });
  #nextQuestion = 1;

  constructor(isShared = true) {
    this.table.ready("legacy", isShared);
    this.clock.pass(10_000); // No question for roots is expected any more.
  }

  /** A call at once, whatever the turns say. */
  begin(client: string, options: Options = {}): Made {
    return this.#send(this.#make(client, options));
  }

  /** A call that waits for its turn; `made` is there from the start, `pending` once it runs. */
  enter(
    client: string,
    options: Options = {},
  ): { readonly turn: Turn; readonly entered: Promise<Made>; readonly signal: Cancellation } {
    const half = this.#make(client, options);
    const waits = this.table.enter(half.turn);
    const entered =
      waits === undefined ? Promise.resolve(this.#send(half)) : waits.then(() => this.#send(half));
    entered.catch(() => undefined);
    return { turn: half.turn, entered, signal: half.signal };
  }

  answer({ pending, turn }: Made, id: Id = pending.id): void {
    this.table.answered(id)?.resolve({ result: {} });
    this.table.leave(turn);
  }

  giveUp({ pending, turn }: Made): void {
    if (this.table.abandon(pending)) pending.reject(new Error("cancelled"));
    this.table.leave(turn);
  }

  ask(text = "?"): string {
    const id = `q${this.#nextQuestion++}`;
    this.table.askNameless(request(id, "elicitation/create", { message: text }));
    return id;
  }

  log(data = "x"): void {
    const message = notification("notifications/message", { level: "info", data });
    const audience = this.table.audienceOf(message);
    if (audience !== "everybody" && audience !== "nobody") audience.onNotification?.(message);
  }

  replyTo(id: string): Response | undefined {
    return this.replies.find((reply): reply is Response => "id" in reply && reply.id === id);
  }

  #make(client: string, options: Options): Omit<Made, "pending"> & { readonly options: Options } {
    const signal = new Cancellation();
    const of = options.caller ?? caller(client);
    const call = makeCall(options.method ?? "tools/call", options.params ?? { name: "tool" }, {
      caller: of,
      signal,
    });
    return { client, turn: new Turn(call), signal, asked: [], heard: [], options };
  }

  #send(half: Omit<Made, "pending"> & { readonly options: Options }): Made {
    const { turn, asked, heard, options, signal } = half;
    const { method, params, caller: of } = turn.call;
    const listener = {
      onNotification: (message: Notification) => void heard.push(message),
      onQuestion: ({ params: question }: { params?: Json }, withdrawn: AbortSignal) => {
        const answer = Promise.withResolvers<Json>();
        asked.push({ text: question?.message, answer, signal: withdrawn });
        return answer.promise;
      },
    };
    const id = this.table.nextId();
    const waiting = { timeoutMs: options.timeoutMs ?? REQUEST_MS, caller: of, turn, listener, signal };
    const pending = new Pending(
      { id, method, ...(params === undefined ? {} : { params }) },
      waiting,
      () => undefined,
    );
    pending.answer.catch(() => undefined);
    this.table.begin(pending);
    return { ...half, pending };
  }
}

/** Lets promises run. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 12; turns++) await Promise.resolve();
}
