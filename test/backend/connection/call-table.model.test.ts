// The call table against a model of it, under every order of events that fast-check can think of. The server is one that the
// rule allows: whatever a call says before, or within LATE_MS after its end, reaches its own client or nobody; if only one
// client can be meant, it reaches that client; and in the end nobody waits and no timer is left.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { TIMES } from "../../../src/backend/connection/times.ts";
import { type Made, QUESTION_MS, REQUEST_MS, Stage, settle } from "./table-stage.ts";

const CLIENTS = ["anna", "ben", "carla"];

/** A call as the server and its client know it. */
interface Known {
  readonly client: string;
  made: Made | undefined;
  readonly turn: { readonly place: string };
  readonly giveUp: () => void;
  /** Questions that it has asked and that nobody has replied to. */
  readonly waitsFor: Set<string>;
  state: "queued" | "running" | "answered" | "abandoned";
  endedMs: number;
  /** Until then it may speak although it was given up. */
  speaksUntilMs: number;
}

class Model {
  readonly calls: Known[] = [];
  questions = 0;
  logs = 0;
}

type Command = fc.AsyncCommand<Model, Stage>;

/** Those that may say something now. */
function speakers(model: Model, stage: Stage): Known[] {
  const nowMs = stage.clock.nowMs();
  return model.calls.filter((call) => {
    if (call.state === "running") return !isSilent(call, stage);
    return call.state !== "queued" && nowMs < call.speaksUntilMs;
  });
}

/** True where the rule leaves one client. If no other call runs, those that wait for a person may have spoken as well. */
function isSure(candidates: readonly Known[], { client }: Known, model: Model): boolean {
  const runs = candidates.some(({ state }) => state === "running");
  const others = runs ? [] : model.calls.filter(({ state }) => state === "running");
  return [...candidates, ...others].every((call) => call.client === client && call.state !== "abandoned");
}

/** It waits for a person: a server that speaks then has to be known for that. */
function isSilent({ made }: Known, stage: Stage): boolean {
  if (made === undefined || made.pending.state !== "asking") return false;
  const sinceMs = stage.clock.nowMs() - made.pending.askedAtMs;
  return sinceMs >= TIMES.TOGETHER_MS && !stage.habits.has("speaksWhileAsking");
}

function pick<T>(from: readonly T[], choice: number): T | undefined {
  return from[choice % Math.max(1, from.length)];
}

abstract class Step implements Command {
  protected readonly choice: number;

  constructor(choice: number) {
    this.choice = choice;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, stage: Stage): Promise<void> {
    this.act(model, stage);
    await settle();
    await settle();
    notice(model, stage);
    expectNoMisdelivery(model, stage);
  }

  abstract act(model: Model, stage: Stage): void;

  toString(): string {
    return `${this.constructor.name}(${this.choice})`;
  }
}

/** What has come about by itself. */
function notice(model: Model, stage: Stage): void {
  const replied = new Set(stage.replies.map((reply) => ("id" in reply ? String(reply.id) : "")));
  for (const call of model.calls) {
    for (const id of call.waitsFor) if (replied.has(id)) call.waitsFor.delete(id);
    if (call.made === undefined || call.state !== "running") continue;
    const { state, deadlineMs } = call.made.pending;
    if (state === "abandoned") end(call, "abandoned", stage, deadlineMs);
  }
}

function end(call: Known, state: "answered" | "abandoned", stage: Stage, nowMs = stage.clock.nowMs()): void {
  const goesOn = state === "abandoned" && stage.habits.has("worksOn");
  Object.assign(call, {
    state,
    endedMs: nowMs,
    speaksUntilMs: nowMs + (goesOn ? TIMES.WORKS_ON_MS : TIMES.LATE_MS),
  });
}

function expectNoMisdelivery(model: Model, stage: Stage): void {
  for (const { made, client } of model.calls) {
    for (const { text } of made?.asked ?? []) expect(String(text)).toStartWith(`${client} `);
    for (const { params } of made?.heard ?? []) expect(String(params?.data)).toStartWith(`${client} `);
  }
  if (!stage.habits.has("asks")) return;
  // Whoever came in since is alone, but for calls that were there before and those that wait for a person.
  const alone = model.calls.filter(({ made }) => made?.turn.company === "alone" && made.turn.place === "in");
  expect(alone.length).toBeLessThanOrEqual(1 + stage.replies.length);
}

class Begins extends Step {
  act(model: Model, stage: Stage): void {
    const client = CLIENTS[this.choice % CLIENTS.length] ?? "";
    const { turn, entered, signal } = stage.enter(client);
    const call: Known = {
      client,
      made: undefined,
      turn,
      giveUp: () => {
        if (call.made === undefined) signal.abort();
        else stage.giveUp(call.made);
      },
      waitsFor: new Set(),
      state: "queued",
      endedMs: 0,
      speaksUntilMs: 0,
    };
    model.calls.push(call);
    entered.then(
      (made) => Object.assign(call, { made, state: "running" }),
      () => Object.assign(call, { state: "abandoned" }),
    );
  }
}

class IsAnswered extends Step {
  act(model: Model, stage: Stage): void {
    // A call that asked waits for the answer.
    const call = pick(
      model.calls.filter(({ state, waitsFor }) => state === "running" && waitsFor.size === 0),
      this.choice,
    );
    if (call?.made === undefined) return;
    stage.answer(call.made);
    end(call, "answered", stage);
  }
}

class IsGivenUp extends Step {
  act(model: Model, stage: Stage): void {
    const call = pick(
      model.calls.filter(({ state }) => state === "running" || state === "queued"),
      this.choice,
    );
    if (call === undefined) return;
    const wasRunning = call.state === "running";
    call.giveUp();
    if (wasRunning) end(call, "abandoned", stage);
  }
}

class IsAnsweredInVain extends Step {
  act(model: Model, stage: Stage): void {
    const call = pick(
      model.calls.filter(
        ({ state, made, waitsFor }) => state === "abandoned" && made !== undefined && waitsFor.size === 0,
      ),
      this.choice,
    );
    if (call?.made === undefined || stage.clock.nowMs() - call.endedMs >= TIMES.WORKS_ON_MS) return;
    stage.table.answered(call.made.pending.id);
    call.speaksUntilMs = stage.clock.nowMs() + TIMES.LATE_MS;
  }
}

class Speaks extends Step {
  act(model: Model, stage: Stage): void {
    const candidates = speakers(model, stage);
    const speaker = pick(candidates, this.choice);
    if (speaker === undefined) return;
    const mine = model.calls.filter(({ client }) => client === speaker.client);
    const before = heardBy(mine);
    const text = `${speaker.client} says ${++model.logs}`;
    const sure = isSure(candidates, speaker, model);
    stage.log(text);
    if (sure) expect(heardBy(mine)).toBe(before + 1);
  }
}

function heardBy(calls: readonly Known[]): number {
  return calls.reduce((sum, { made }) => sum + (made?.heard.length ?? 0), 0);
}

function askedOf(calls: readonly Known[]): number {
  return calls.reduce((sum, { made }) => sum + (made?.asked.length ?? 0), 0);
}

class Asks extends Step {
  act(model: Model, stage: Stage): void {
    const candidates = speakers(model, stage);
    const speaker = pick(candidates, this.choice);
    if (speaker === undefined) return;
    const mine = model.calls.filter(({ client }) => client === speaker.client);
    const before = askedOf(mine);
    const sure = isSure(candidates, speaker, model);
    const id = stage.ask(`${speaker.client} asks ${++model.questions}`);
    if (speaker.state === "running") speaker.waitsFor.add(id);
    if (sure) expect(askedOf(mine)).toBe(before + 1);
  }
}

class ClientReplies extends Step {
  act(model: Model): void {
    const open = model.calls.flatMap(({ made }) => made?.asked ?? []).filter(({ signal }) => !signal.aborted);
    pick(open, this.choice)?.answer.resolve({ action: "accept" });
  }
}

class TimePasses extends Step {
  act(_model: Model, stage: Stage): void {
    const steps = [
      1,
      TIMES.TOGETHER_MS,
      TIMES.LATE_MS,
      TIMES.STUCK_MS,
      5_000,
      TIMES.HELD_QUESTION_MS,
      REQUEST_MS,
    ];
    stage.clock.pass(steps[this.choice % steps.length] ?? 1);
  }
}

const often = (times: number, make: (choice: number) => Step) =>
  Array.from({ length: times }, () => fc.nat(100).map(make));
const steps: fc.Arbitrary<Command>[] = [
  ...often(4, (choice) => new Begins(choice)),
  ...often(4, (choice) => new IsAnswered(choice)),
  ...often(1, (choice) => new IsGivenUp(choice)),
  ...often(1, (choice) => new IsAnsweredInVain(choice)),
  ...often(2, (choice) => new Speaks(choice)),
  ...often(3, (choice) => new Asks(choice)),
  ...often(3, (choice) => new ClientReplies(choice)),
  ...often(3, (choice) => new TimePasses(choice)),
];

async function expectNothingLeft(model: Model, stage: Stage): Promise<void> {
  for (let round = 0; round <= model.calls.length; round++) {
    stage.clock.pass(QUESTION_MS);
    await settle();
    await settle();
    notice(model, stage);
    for (const call of model.calls) if (call.state === "running") new IsAnswered(0).act(model, stage);
  }
  const open = model.calls.filter(({ state }) => state === "queued" || state === "running");
  expect(
    open.map(({ state, turn, made, waitsFor }) => [state, turn.place, made?.pending.state, ...waitsFor]),
  ).toEqual([]);
  expect([...model.calls.flatMap(({ waitsFor }) => [...waitsFor])].length).toBe(
    // Whoever gave up its call is told nothing of its questions.
    model.calls
      .filter(({ state }) => state === "abandoned")
      .reduce((sum, { waitsFor }) => sum + waitsFor.size, 0),
  );
  stage.clock.pass(TIMES.WORKS_ON_MS + QUESTION_MS);
  expect(stage.table.size).toBe(0);
  expect(stage.clock.timers).toBe(0);
}

test("what a call says reaches its own client or nobody, and in the end nobody waits", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.commands(steps, { maxCommands: 60, size: "max" }),
      async (asks, commands) => {
        const stage = new Stage();
        const model = new Model();
        if (asks) stage.habits.note("asks");
        await fc.asyncModelRun(() => ({ model, real: stage }), commands);
        await expectNothingLeft(model, stage);
      },
    ),
    { numRuns: 1_500 },
  );
}, 120_000);
