// The state machine against a model of it, under every order of events that fast-check can think of: no call is lost or
// answered twice, no child is without an owner, nobody waits for what has been decided.

import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { IDLE_MS, type MadeCall, settle, World } from "./lifecycle-world.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

type StateName = "stopped" | "asleep" | "starting" | "ready" | "draining" | "failed";

/** What the issue says of a backend, in the fewest words. */
interface Model {
  state: StateName;
  /** Calls that wait for a start. */
  waiting: Set<number>;
  /** Calls that a child has and will answer in this order. */
  running: number[];
  failures: number;
  mayRetry: boolean;
  answered: Map<number, "answered" | "refused">;
  made: number;
  /** Calls that the children before end on their own, oldest child first. */
  retired: number[][];
}

type Step = fc.AsyncCommand<Model, World>;

abstract class Base implements Step {
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    this.act(model, world);
    await settle();
    this.expectSame(model, world);
  }

  abstract act(model: Model, world: World): void;

  toString(): string {
    return this.constructor.name;
  }

  expectSame(model: Model, world: World): void {
    expect(world.lifecycle.state).toBe(model.state);
    expect(world.calls.map(outcomeOf)).toEqual(world.calls.map(({ id }) => model.answered.get(id) ?? "open"));
    expect(world.lifecycle.inFlight).toBe(model.running.length);
    const retired = model.retired.flat();
    expect(world.lifecycle.users).toBe(model.running.length + model.waiting.size + retired.length);
    // A child for each state that has one, and never two; those before live no longer than their last call.
    const holdsChild = ["starting", "ready", "draining"].includes(model.state);
    const current = world.alive.filter((child) => !world.retired.includes(child));
    expect(current).toHaveLength(holdsChild ? 1 : 0);
    expect(world.retired.flatMap(({ asked }) => [...asked.values()])).toEqual(retired);
    // What a child has read is exactly what runs: nothing was sent twice, nothing forgotten.
    expect(world.serving === undefined ? [] : [...world.serving.asked.values()]).toEqual(model.running);
  }
}

function outcomeOf({ id, outcomes }: MadeCall): string {
  const [first, ...more] = outcomes;
  if (first === undefined) return "open";
  if (more.length > 0) return "settled twice";
  if ("error" in first) return "refused";
  return first.answer === id ? "answered" : "another's answer";
}

function settleAll(model: Model, calls: Iterable<number>, how: "answered" | "refused"): void {
  for (const id of calls) model.answered.set(id, how);
}

function fall(model: Model): void {
  settleAll(model, [...model.running, ...model.waiting], "refused");
  model.running = [];
  model.waiting.clear();
  model.failures += 1;
  model.mayRetry = model.state === "ready" && model.failures === 1;
  model.state = "failed";
}

class Call extends Base {
  act(model: Model, world: World): void {
    const { id } = world.call();
    model.made += 1;
    if (model.state === "ready") model.running.push(id);
    else if (model.state === "failed" && !model.mayRetry) model.answered.set(id, "refused");
    else {
      model.waiting.add(id);
      if (model.state !== "draining") model.state = "starting";
    }
  }
}

class StartSucceeds extends Base {
  override check({ state }: Readonly<Model>): boolean {
    return state === "starting";
  }

  act(model: Model, world: World): void {
    world.start?.succeed();
    model.state = "ready";
    model.running = [...model.waiting];
    model.waiting.clear();
  }
}

class StartFails extends Base {
  override check({ state }: Readonly<Model>): boolean {
    return state === "starting";
  }

  act(model: Model, world: World): void {
    world.start?.fail(false);
    fall(model);
  }
}

class Answer extends Base {
  override check({ running }: Readonly<Model>): boolean {
    return running.length > 0;
  }

  act(model: Model, world: World): void {
    world.serving?.answerOldest();
    settleAll(model, model.running.splice(0, 1), "answered");
    model.failures = 0;
  }
}

class Crash extends Base {
  override check({ state }: Readonly<Model>): boolean {
    return state === "ready";
  }

  act(model: Model, world: World): void {
    world.serving?.crash();
    fall(model);
  }
}

class Cancel extends Base {
  readonly #choice: number;

  constructor(choice: number) {
    super();
    this.#choice = choice;
  }

  override check({ made }: Readonly<Model>): boolean {
    return made > 0;
  }

  act(model: Model, world: World): void {
    const call = world.calls[this.#choice % world.calls.length];
    if (call === undefined) return;
    call.abort.abort();
    if (model.answered.has(call.id)) return;
    model.answered.set(call.id, "refused");
    model.waiting.delete(call.id);
    model.running = model.running.filter((id) => id !== call.id);
    model.retired = model.retired.map((running) => running.filter((id) => id !== call.id));
  }
}

/** The server has forgotten our session. */
class Renew extends Base {
  override check({ state }: Readonly<Model>): boolean {
    return state === "ready";
  }

  act(model: Model, world: World): void {
    const { connected } = world.lifecycle;
    if (world.serving !== undefined) world.retired.push(world.serving);
    if (connected !== undefined) world.lifecycle.renew(connected);
    model.retired.push(model.running);
    model.running = [];
    model.state = "starting";
  }
}

class RetiredAnswers extends Base {
  override check({ retired }: Readonly<Model>): boolean {
    return retired.some((running) => running.length > 0);
  }

  act(model: Model, world: World): void {
    const at = model.retired.findIndex((running) => running.length > 0);
    world.retired[at]?.answerOldest();
    settleAll(model, model.retired[at]?.splice(0, 1) ?? [], "answered");
    model.failures = 0;
  }
}

class IdleTimePasses extends Base {
  act(model: Model, world: World): void {
    jest.advanceTimersByTime(IDLE_MS + 1);
    if (model.state !== "ready" || model.running.length > 0) return;
    model.state = world.closesAtOnce ? "asleep" : "draining";
  }
}

class LongTimePasses extends IdleTimePasses {
  override act(model: Model, world: World): void {
    super.act(model, world);
    jest.advanceTimersByTime(60_000);
    model.mayRetry = true;
  }
}

/** From now on a child takes its time to end, or no longer does. */
class CloseSlowly extends Base {
  readonly #isSlow: boolean;

  constructor(isSlow: boolean) {
    super();
    this.#isSlow = isSlow;
  }

  override check({ state }: Readonly<Model>): boolean {
    return state === "stopped" || state === "asleep" || state === "failed";
  }

  act(_model: Model, world: World): void {
    world.closesAtOnce = !this.#isSlow;
  }
}

class ChildHasClosed extends Base {
  override check({ state }: Readonly<Model>): boolean {
    return state === "draining";
  }

  act(model: Model, world: World): void {
    world.letClose();
    model.state = model.waiting.size > 0 ? "starting" : "asleep";
  }
}

class Prestart extends Base {
  act(model: Model, world: World): void {
    void world.lifecycle.prestart();
    if (model.state === "stopped" || model.state === "asleep") model.state = "starting";
  }
}

const steps = [
  fc.constant(new Call()),
  fc.constant(new Call()),
  fc.constant(new StartSucceeds()),
  fc.constant(new StartSucceeds()),
  fc.constant(new Answer()),
  fc.constant(new Answer()),
  fc.constant(new StartFails()),
  fc.constant(new Crash()),
  fc.constant(new IdleTimePasses()),
  fc.constant(new LongTimePasses()),
  fc.constant(new ChildHasClosed()),
  fc.constant(new Prestart()),
  fc.constant(new Renew()),
  fc.constant(new RetiredAnswers()),
  fc.boolean().map((isSlow) => new CloseSlowly(isSlow)),
  fc.nat().map((choice) => new Cancel(choice)),
];

function start(): { model: Model; real: World } {
  const model: Model = {
    state: "stopped",
    waiting: new Set(),
    running: [],
    failures: 0,
    mayRetry: true,
    answered: new Map(),
    made: 0,
    retired: [],
  };
  return { model, real: new World() };
}

test("the machine does what its model does, and when it is closed nothing of it is left", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 40, size: "max" }), async (commands) => {
      const { model, real } = start();
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await real.dispose();
      await Promise.all(real.ended);
      expect(real.lifecycle.state).toBe("stopped");
      expect(real.alive).toEqual([]);
      const outcomes = real.calls.map(outcomeOf);
      expect(outcomes.filter((outcome) => !["answered", "refused"].includes(outcome))).toEqual([]);
      // Each call has reached at most one child, once.
      const received = real.children.flatMap((child) => child.received);
      expect(new Set(received).size).toBe(received.length);
      const late = real.call();
      await settle();
      expect(outcomeOf(late)).toBe("refused");
    }),
    { numRuns: 5_000 },
  );
}, 120_000);
