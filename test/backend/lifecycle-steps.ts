// What can happen to a lifecycle, done to it and to its model. Each step is a class, so that a run that fails can be read.

import { expect, jest } from "bun:test";
import { LONG_MS, type Model } from "./lifecycle-model.ts";
import { IDLE_MS, type MadeCall, type World } from "./lifecycle-world.ts";

export abstract class Step {
  /** Whether it can happen now. */
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  abstract act(model: Model, world: World): void;

  toString(): string {
    return this.constructor.name;
  }
}

export function expectSame(model: Model, world: World): void {
  expect(world.lifecycle.state).toBe(model.state);
  expect(world.calls.map(outcomeOf)).toEqual(world.calls.map(({ id }) => model.fates.get(id) ?? "open"));
  expect(world.lifecycle.starts).toBe(model.starts);
  expect(world.lifecycle.inFlight).toBe(model.running.length);
  expect(world.lifecycle.users).toBe(model.users);
  // A child for each state that has one, and never two; those before live no longer than their last call.
  const holdsChild = ["starting", "ready", "draining"].includes(model.state);
  const current = world.alive.filter((child) => !world.retired.includes(child));
  expect(current).toHaveLength(holdsChild ? 1 : 0);
  const retired = world.retired.filter(({ isClosing }) => !isClosing);
  expect(retired.flatMap(({ asked }) => [...asked.values()])).toEqual(model.retired.flat());
  // What a child has read is exactly what runs: nothing was sent twice, nothing forgotten.
  expect(world.serving === undefined ? [] : [...world.serving.asked.values()]).toEqual(model.running);
}

export function outcomeOf({ id, outcomes }: MadeCall): string {
  const [first, ...more] = outcomes;
  if (first === undefined) return "open";
  if (more.length > 0) return "settled twice";
  if ("error" in first) return "refused";
  return first.answer === id ? "answered" : "another's answer";
}

/** So many at the same time. */
export class Call extends Step {
  readonly #count: number;

  constructor(count: number) {
    super();
    this.#count = count;
  }

  act(model: Model, world: World): void {
    for (let made = 0; made < this.#count; made++) model.call(world.call().id);
  }

  override toString(): string {
    return this.#count === 1 ? "Call" : `Calls[${this.#count}]`;
  }
}

export class StartSucceeds extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "starting";
  }

  act(model: Model, world: World): void {
    world.start?.succeed();
    model.started();
  }
}

export class StartFails extends Step {
  readonly #isPermanent: boolean;

  constructor(isPermanent: boolean) {
    super();
    this.#isPermanent = isPermanent;
  }

  override check({ state }: Readonly<Model>): boolean {
    return state === "starting";
  }

  act(model: Model, world: World): void {
    world.isMended = false;
    world.start?.fail(this.#isPermanent);
    model.fall(this.#isPermanent);
  }

  override toString(): string {
    return this.#isPermanent ? "StartFailsForGood" : "StartFails";
  }
}

/** The handshake is done, and the child is dead. */
export class StartsDead extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "starting";
  }

  act(model: Model, world: World): void {
    world.start?.child.crash();
    world.start?.succeed();
    model.fall(false);
  }
}

/** Somebody installs what was missing. */
export class Mend extends Step {
  override check({ state, isPermanent }: Readonly<Model>): boolean {
    return state === "failed" && isPermanent;
  }

  act(model: Model, world: World): void {
    world.isMended = true;
    model.isMended = true;
  }
}

export class Answer extends Step {
  override check({ running }: Readonly<Model>): boolean {
    return running.length > 0;
  }

  act(model: Model, world: World): void {
    world.serving?.answerOldest();
    model.answer();
  }
}

export class Crash extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "ready";
  }

  act(model: Model, world: World): void {
    world.serving?.crash();
    model.fall(false);
  }
}

export class Cancel extends Step {
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
    model.cancel(call.id);
  }
}

/** The server has forgotten our session. */
export class Renew extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "ready";
  }

  act(model: Model, world: World): void {
    const { connected } = world.lifecycle;
    if (world.serving !== undefined) world.retired.push(world.serving);
    if (connected !== undefined) world.lifecycle.renew(connected);
    model.renew();
  }
}

export class RetiredAnswers extends Step {
  override check({ retired }: Readonly<Model>): boolean {
    return retired.some((running) => running.length > 0);
  }

  act(model: Model, world: World): void {
    const at = model.retired.findIndex((running) => running.length > 0);
    world.retired[at]?.answerOldest();
    model.retiredAnswers(at);
  }
}

/** From now on a child takes its time to end, or no longer does. */
export class CloseSlowly extends Step {
  readonly #isSlow: boolean;

  constructor(isSlow: boolean) {
    super();
    this.#isSlow = isSlow;
  }

  override check({ state }: Readonly<Model>): boolean {
    return state === "stopped" || state === "asleep" || state === "failed";
  }

  act(model: Model, world: World): void {
    world.closesAtOnce = !this.#isSlow;
    model.closesAtOnce = !this.#isSlow;
  }
}

export class ChildHasClosed extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "draining";
  }

  act(model: Model, world: World): void {
    world.letClose();
    model.childHasClosed();
  }
}

export class Prestart extends Step {
  act(model: Model, world: World): void {
    void world.lifecycle.prestart();
    model.prestart();
  }
}

export class Watch extends Step {
  override check({ state }: Readonly<Model>): boolean {
    return state === "ready";
  }

  act(model: Model, world: World): void {
    world.watch();
    model.isWatched = true;
  }
}

export class Unwatch extends Step {
  act(model: Model, world: World): void {
    world.unwatch();
    model.isWatched = false;
  }
}

export class Stop extends Step {
  act(model: Model, world: World): void {
    world.ended.push(world.lifecycle[Symbol.asyncDispose]());
    if (!model.isStopped) model.stop();
  }
}

/** Time passes for all at once. */
export function passTime(models: readonly Model[], isLong: boolean): void {
  jest.advanceTimersByTime(IDLE_MS + 1);
  if (isLong) jest.advanceTimersByTime(LONG_MS);
  for (const model of models) {
    if (isLong) model.longTimePasses();
    else model.shortTimePasses();
  }
}
