// The state machine against a model of it, under every order of events that fast-check can think of: no call is lost or
// answered twice, no child is without an owner, nobody waits for what has been decided. A reload puts another lifecycle in
// the place of the one before, which ends its calls and then itself.

import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { Model } from "./lifecycle-model.ts";
import {
  Answer,
  Call,
  Cancel,
  ChildHasClosed,
  CloseSlowly,
  Crash,
  expectSame,
  Mend,
  outcomeOf,
  Prestart,
  passTime,
  Renew,
  RetiredAnswers,
  StartFails,
  StartSucceeds,
  StartsDead,
  type Step,
  Stop,
  Unwatch,
  Watch,
} from "./lifecycle-steps.ts";
import { settle, World } from "./lifecycle-world.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Newest last. */
type Command = fc.AsyncCommand<Model[], World[]>;

abstract class Base implements Command {
  check(_models: readonly Readonly<Model>[]): boolean {
    return true;
  }

  async run(models: Model[], worlds: World[]): Promise<void> {
    this.act(models, worlds);
    await settle();
    await retireUnused(models, worlds);
    for (const [index, world] of worlds.entries()) expectSame(modelAt(models, index), world);
  }

  abstract act(models: Model[], worlds: World[]): void;
}

/** A step of one of those that there are. */
class On extends Base {
  readonly #step: Step;
  readonly #choice: number;

  constructor(step: Step, choice: number) {
    super();
    this.#step = step;
    this.#choice = choice;
  }

  override check(models: readonly Readonly<Model>[]): boolean {
    return this.#step.check(modelAt(models, pick(models.length, this.#choice)));
  }

  act(models: Model[], worlds: World[]): void {
    const index = pick(models.length, this.#choice);
    const world = worlds[index];
    if (world !== undefined) this.#step.act(modelAt(models, index), world);
  }

  override toString(): string {
    return `${this.#step}(${this.#choice})`;
  }
}

interface Settings {
  readonly isKeptAlive: boolean;
  /** Whether children take their time to end. */
  readonly isSlow: boolean;
}

function addTo(models: Model[], worlds: World[], { isKeptAlive, isSlow }: Settings): void {
  const [model, world] = [new Model(isKeptAlive), new World({ keep_alive: isKeptAlive })];
  models.push(model);
  worlds.push(world);
  new CloseSlowly(isSlow).act(model, world);
}

/** Other settings: from now on there is another. */
class Reload extends Base {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    super();
    this.#settings = settings;
  }

  act(models: Model[], worlds: World[]): void {
    for (const model of models) model.isRetiring = true;
    addTo(models, worlds, this.#settings);
  }

  override toString(): string {
    return `Reload(${JSON.stringify(this.#settings)})`;
  }
}

class TimePasses extends Base {
  readonly #isLong: boolean;

  constructor(isLong: boolean) {
    super();
    this.#isLong = isLong;
  }

  act(models: Model[]): void {
    passTime(models, this.#isLong);
  }

  override toString(): string {
    return this.#isLong ? "LongTimePasses" : "IdleTimePasses";
  }
}

function modelAt<Kind extends Readonly<Model>>(models: readonly Kind[], index: number): Kind {
  const model = models[index];
  if (model === undefined) throw new Error(`no model ${index}`);
  return model;
}

async function retireUnused(models: readonly Model[], worlds: readonly World[]): Promise<void> {
  for (const [index, world] of worlds.entries()) {
    const model = modelAt(models, index);
    if (!model.isRetiring || model.isStopped || model.users > 0) continue;
    new Stop().act(model, world);
    await settle();
  }
}

/** The newest more often than those before. */
function pick(length: number, choice: number): number {
  return choice % 3 === 0 ? Math.floor(choice / 3) % length : length - 1;
}

const step = (made: fc.Arbitrary<Step>) =>
  fc.tuple(made, fc.nat()).map(([one, choice]) => new On(one, choice));
const settings: fc.Arbitrary<Settings> = fc.record({ isKeptAlive: fc.boolean(), isSlow: fc.boolean() });
const one = (made: Step) => step(fc.constant(made));
/** What happens often lets the rest get somewhere; what ends everything is rare. */
const steps: fc.Arbitrary<Command>[] = [
  step(fc.integer({ min: 1, max: 3 }).map((count) => new Call(count))),
  ...[1, 2, 3].map(() => one(new Call(1))),
  ...[1, 2, 3, 4].map(() => one(new StartSucceeds())),
  ...[1, 2, 3].map(() => one(new Answer())),
  step(fc.constantFrom<Step>(new StartFails(false), new StartFails(true), new StartsDead())),
  ...[new Mend(), new Crash(), new ChildHasClosed(), new Prestart(), new Renew()].map(one),
  ...[new RetiredAnswers(), new Watch(), new Unwatch(), new CloseSlowly(true), new CloseSlowly(false)].map(
    one,
  ),
  step(fc.nat().map((choice) => new Cancel(choice))),
  ...[false, false, true].map((isLong) => fc.constant(new TimePasses(isLong))),
  fc.tuple(fc.nat(2), fc.nat(), settings).map(([dice, choice, given]) => {
    if (dice === 0) return new On(new Stop(), choice);
    return dice === 1 ? new On(new Cancel(choice), choice) : new Reload(given);
  }),
];

async function expectNothingLeft(world: World): Promise<void> {
  await world.dispose();
  await Promise.all(world.ended);
  expect(world.lifecycle.state).toBe("stopped");
  expect(world.alive).toEqual([]);
  const outcomes = world.calls.map(outcomeOf);
  expect(outcomes.filter((outcome) => !["answered", "refused"].includes(outcome))).toEqual([]);
  // Each call has reached at most one child, once.
  const received = world.children.flatMap((child) => child.received);
  expect(new Set(received).size).toBe(received.length);
  const late = world.call();
  await settle();
  expect(outcomeOf(late)).toBe("refused");
}

test("the machine does what its model does, and when it is closed nothing of it is left", async () => {
  await fc.assert(
    fc.asyncProperty(
      settings,
      fc.commands(steps, { maxCommands: 80, size: "max" }),
      async (given, commands) => {
        const [models, worlds]: [Model[], World[]] = [[], []];
        addTo(models, worlds, given);
        await fc.asyncModelRun(() => ({ model: models, real: worlds }), commands);
        for (const world of worlds) await expectNothingLeft(world);
      },
    ),
    { numRuns: 5_000 },
  );
}, 120_000);
