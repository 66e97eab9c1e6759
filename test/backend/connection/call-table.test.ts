// Which call a message belongs to that names none, when calls time out, and who may run beside whom. Time is made up.

import { describe, expect, test } from "bun:test";
import { QUIET_CALLS, TIMES } from "../../../src/backend/connection/times.ts";
import { toMessage } from "../../../src/protocol/jsonrpc.ts";
import { caller } from "../rig.ts";
import { QUESTION_MS, REQUEST_MS, Stage, settle } from "./table-stage.ts";

const texts = (made: { readonly asked: readonly { readonly text: unknown }[] }) =>
  made.asked.map(({ text }) => text);

describe("a question that names no call", () => {
  test("waits until the other calls have been answered, whatever they called", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben", { method: "completion/complete", params: {} });
    stage.ask();
    expect([texts(anna), texts(ben)]).toEqual([[], []]);
    stage.answer(anna);
    expect(texts(ben)).toEqual(["?"]);
  });

  test("is never put to a call that began after it", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben");
    const question = stage.ask();
    const carla = stage.begin("carla");
    stage.giveUp(anna);
    stage.answer(ben);
    expect([texts(ben), texts(carla)]).toEqual([[], []]);
    expect(stage.replyTo(question)).toMatchObject({ error: { code: -32603 } });
  });

  test("is nobody's if a call that may have asked it is then cancelled", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben");
    const question = stage.ask();
    stage.giveUp(anna);
    stage.table.answered(anna.pending.id);
    expect(texts(ben)).toEqual([]);
    expect(stage.replyTo(question)).toMatchObject({ error: { code: -32603 } });
  });

  test("is refused if a call answered a moment ago may have asked it, and that client's next call is asked", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben");
    stage.answer(anna);
    stage.clock.pass(TIMES.LATE_MS - 1);
    expect(stage.replyTo(stage.ask())).toMatchObject({
      error: { message: expect.stringContaining("Make the call again") },
    });
    stage.clock.pass(1);
    stage.ask("later");
    expect(texts(ben)).toEqual(["later"]);
    expect(texts(anna)).toEqual([]);
  });

  test("is put to a client that alone can be meant, on its call or after the answer", () => {
    const stage = new Stage();
    const first = stage.begin("anna");
    stage.answer(first);
    stage.ask("late");
    expect(texts(first)).toEqual(["late"]);
    expect(stage.habits.has("speaksLate")).toBe(true);
    const [one, two] = [stage.begin("anna"), stage.begin("anna")];
    stage.ask("which?");
    expect([texts(one), texts(two)]).toEqual([[], ["which?"]]);
  });

  test("is no call's that waits for a person, unless the server was seen to speak then", async () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    stage.ask("of anna");
    stage.clock.pass(TIMES.TOGETHER_MS);
    const ben = stage.begin("ben");
    stage.ask("of ben");
    expect([texts(anna), texts(ben)]).toEqual([["of anna"], ["of ben"]]);
    stage.answer(ben);
    stage.clock.pass(TIMES.LATE_MS);
    stage.ask("of anna, beside the first");
    expect(texts(anna)).toEqual(["of anna", "of anna, beside the first"]);
    expect(stage.habits.has("speaksWhileAsking")).toBe(true);
    stage.clock.pass(TIMES.TOGETHER_MS);
    const carla = stage.begin("carla");
    stage.ask("of either");
    expect([texts(anna).length, texts(carla).length]).toEqual([2, 0]);
    stage.answer(carla);
    await settle();
    expect(texts(anna).at(-1)).toBe("of either");
  });

  test("of calls that all wait for each other the newest is refused, and may be made again", () => {
    const stage = new Stage();
    const [anna, ben] = [stage.begin("anna"), stage.begin("ben")];
    const [first, second] = [stage.ask("one"), stage.ask("two")];
    stage.clock.pass(TIMES.STUCK_MS);
    expect(stage.replyTo(first)).toBeUndefined();
    expect(stage.replyTo(second)).toMatchObject({ error: {} });
    stage.table.answered(ben.pending.id);
    expect(stage.table.mayHaveAskedInVain(ben.pending)).toBe(true);
    expect(stage.table.mayHaveAskedInVain(anna.pending)).toBe(false);
    expect(texts(anna)).toEqual(["one"]);
  });
});

describe("a question that is open", () => {
  test("stops the clock of its call, which runs anew with the answer", async () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const question = stage.ask();
    stage.clock.pass(3 * REQUEST_MS);
    expect(stage.expired).toEqual([]);
    anna.asked[0]?.answer.resolve({ action: "accept" });
    await settle();
    expect(stage.replyTo(question)).toMatchObject({ result: { action: "accept" } });
    stage.clock.pass(REQUEST_MS - 1);
    expect(stage.expired).toEqual([]);
    stage.clock.pass(1);
    expect(stage.expired).toEqual([anna.pending]);
  });

  test("ends after question_timeout with that reason, for the client and for the server", async () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const question = stage.ask();
    stage.clock.pass(QUESTION_MS - 1);
    expect(anna.asked[0]?.signal.aborted).toBe(false);
    stage.clock.pass(1);
    await settle();
    expect(anna.asked[0]?.signal.reason).toBe("no answer within 600 s (question_timeout)");
    expect(stage.replyTo(question)).toMatchObject({
      error: { message: "The client did not answer: no answer within 600 s (question_timeout)." },
    });
    stage.clock.pass(REQUEST_MS);
    expect(stage.expired).toEqual([anna.pending]);
    stage.clock.pass(TIMES.WORKS_ON_MS);
    expect(stage.clock.timers).toBe(0);
  });

  test("has the same timeout where the gateway asks in a modern backend's place", async () => {
    const stage = new Stage();
    const { turn } = stage.begin("anna");
    const never = new AbortController().signal;
    const asking = stage.table.ask(turn, () => new Promise(() => undefined), never);
    asking.catch(() => undefined);
    stage.clock.pass(QUESTION_MS);
    await expect(asking).rejects.toThrow("no answer within 600 s (question_timeout)");
  });

  test("leaves no timer when it is answered, and none when its call is cancelled", async () => {
    const stage = new Stage();
    const anna = stage.begin("anna", { timeoutMs: 0 });
    stage.ask();
    stage.ask();
    anna.asked[0]?.answer.resolve({});
    await settle();
    stage.giveUp(anna);
    await settle();
    expect(anna.asked[1]?.signal.reason).toBe("the call that asked has ended");
    expect(stage.replies).toHaveLength(1);
    stage.clock.pass(TIMES.WORKS_ON_MS);
    expect(stage.clock.timers).toBe(0);
  });
});

describe("a notification that names no call", () => {
  test("goes to the one client that can be meant, and to nobody if there are two", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    stage.log("one");
    const ben = stage.begin("ben");
    stage.log("two");
    stage.answer(anna);
    stage.log("late");
    stage.clock.pass(TIMES.LATE_MS);
    stage.log("three");
    expect(anna.heard.map(({ params }) => params?.data)).toEqual(["one"]);
    expect(ben.heard.map(({ params }) => params?.data)).toEqual(["three"]);
    expect(stage.table.withheld).toBe(2);
  });

  test("that comes after the answer still finds its client", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    stage.answer(anna);
    stage.log();
    expect(anna.heard).toHaveLength(1);
    expect(stage.learned).toEqual([
      expect.stringContaining("after its answer"),
      expect.stringContaining("logs"),
    ]);
  });

  test("may be about a call that was given up for a moment only, unless the server was seen to go on with those", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben");
    stage.giveUp(anna);
    stage.log("withheld");
    stage.clock.pass(TIMES.LATE_MS);
    stage.log("heard");
    expect(ben.heard.map(({ params }) => params?.data)).toEqual(["heard"]);
    stage.table.answered(anna.pending.id);
    expect(stage.habits.has("worksOn")).toBe(true);
    stage.clock.pass(TIMES.LATE_MS);
    const carla = stage.begin("carla");
    stage.giveUp(carla);
    stage.clock.pass(TIMES.WORKS_ON_MS - 1);
    stage.log("withheld");
    stage.table.answered(carla.pending.id);
    stage.clock.pass(TIMES.LATE_MS);
    stage.log("heard too");
    expect(ben.heard).toHaveLength(2);
  });

  test("may be about a call whose answer was lost on its way, but not about one that never arrived", () => {
    const stage = new Stage();
    const [anna, ben, carla] = [stage.begin("anna"), stage.begin("ben"), stage.begin("carla")];
    stage.table.lose(anna.pending.id, false);
    stage.table.lose(ben.pending.id, true);
    stage.log("withheld");
    stage.clock.pass(TIMES.LATE_MS);
    stage.log("heard");
    expect(carla.heard.map(({ params }) => params?.data)).toEqual(["heard"]);
  });

  test("requests of one modern program, one after the other, are one client's until the server speaks late", () => {
    const stage = new Stage();
    const modern = (key: string, name: string) => ({
      caller: caller(key, { era: "modern", clientInfo: { name, version: "1" } }),
    });
    const first = stage.begin("r1", modern("request-1", "app"));
    stage.answer(first);
    const second = stage.begin("r2", modern("request-2", "app"));
    stage.log();
    expect(second.heard).toHaveLength(1);
    const third = stage.begin("r3", modern("request-3", "app"));
    stage.log();
    expect([second.heard.length, third.heard.length]).toEqual([1, 0]);
    stage.answer(second);
    stage.answer(third);
    stage.clock.pass(TIMES.LATE_MS - 1);
    stage.log();
    expect(stage.habits.has("speaksLate")).toBe(true);
    const fourth = stage.begin("r4", modern("request-4", "app"));
    stage.log();
    expect(fourth.heard).toEqual([]);
  });
});

describe("turns on a wire for all", () => {
  test("calls to a server that asks run one at a time, with a gap between two clients", async () => {
    const stage = new Stage();
    stage.habits.note("asks");
    const anna = await stage.enter("anna").entered;
    const ben = stage.enter("ben");
    const again = stage.enter("anna");
    stage.answer(anna);
    expect([ben.turn.place, again.turn.place]).toEqual(["waiting", "waiting"]);
    stage.clock.pass(TIMES.LATE_MS);
    expect([ben.turn.place, again.turn.place]).toEqual(["in", "waiting"]);
    stage.answer(await ben.entered);
    stage.clock.pass(TIMES.LATE_MS);
    stage.answer(await again.entered);
    const third = stage.enter("anna");
    expect(third.turn.place).toBe("in");
  });

  test("calls of two clients, one after the other, are told apart on a server that nobody knows yet", async () => {
    const stage = new Stage();
    let waited = 0;
    for (let round = 0; round < 2 * QUIET_CALLS; round++) {
      const { turn, entered } = stage.enter(`client-${round}`);
      if (turn.place === "waiting") waited += 1;
      stage.clock.pass(TIMES.LATE_MS);
      const made = await entered;
      if (round < 2) {
        stage.log();
        expect(made.heard).toHaveLength(1);
        stage.clock.pass(TIMES.LATE_MS + 1);
      }
      stage.answer(made);
    }
    // It kept silent after its answers: nobody waits any more.
    expect(waited).toBe(QUIET_CALLS);
    // Calls that run beside others need no gap.
    const stranger = new Stage();
    const one = await stranger.enter("anna").entered;
    stranger.answer(await stranger.enter("ben").entered);
    expect(stranger.enter("carla").turn.place).toBe("in");
    stranger.answer(one);
  });

  test("a call that waits for a person lets others run, and has its turn again before the server hears the answer", async () => {
    const stage = new Stage();
    stage.habits.note("asks");
    const anna = await stage.enter("anna").entered;
    const question = stage.ask("of anna");
    const ben = stage.enter("ben");
    expect(ben.turn.place).toBe("waiting");
    stage.clock.pass(TIMES.TOGETHER_MS);
    expect([anna.turn.place, ben.turn.place]).toEqual(["lent", "in"]);
    const bens = await ben.entered;
    anna.asked[0]?.answer.resolve({ action: "accept" });
    await settle();
    expect(stage.replyTo(question)).toBeUndefined();
    stage.ask("of ben");
    expect([texts(anna), texts(bens)]).toEqual([["of anna"], ["of ben"]]);
    // While ben thinks, anna goes on; a second question of hers is hers.
    stage.clock.pass(TIMES.TOGETHER_MS);
    await settle();
    expect(stage.replyTo(question)).toMatchObject({ result: { action: "accept" } });
    stage.ask("of anna, again");
    expect(texts(anna)).toEqual(["of anna", "of anna, again"]);
  });

  test("an open form of one client makes no other client's question fail", async () => {
    const stage = new Stage();
    stage.habits.note("asks");
    for (const client of ["anna", "ben", "carla", "dora"]) {
      const made = await stage.enter(client).entered;
      stage.ask(`of ${client}`);
      expect(texts(made)).toEqual([`of ${client}`]);
      stage.clock.pass(TIMES.TOGETHER_MS);
    }
    const plain = await stage.enter("emil").entered;
    stage.answer(plain);
    expect(stage.replies).toEqual([]);
  });

  test("who wants exact log lines waits for the silence of other clients' tools, until those have shown that they are silent", async () => {
    const stage = new Stage();
    stage.habits.note("logs");
    const levelled = (name: string) => ({ caller: caller(name, { logLevel: "debug" }) });
    stage.table.ready("legacy", true);
    stage.clock.pass(10_000);
    let waited = 0;
    for (let round = 0; round < 2 * QUIET_CALLS; round++) {
      const client = `client-${round}`;
      const { turn, entered } = stage.enter(client, levelled(client));
      if (turn.place === "waiting") waited += 1;
      stage.clock.pass(TIMES.LATE_MS);
      const made = await entered;
      stage.log(client);
      expect(made.heard.map(({ params }) => params?.data)).toEqual([client]);
      stage.clock.pass(TIMES.LATE_MS + 1);
      stage.answer(made);
    }
    expect(waited).toBe(QUIET_CALLS);
  });

  test("a call that is cancelled while it waits lets those behind it go", async () => {
    const stage = new Stage();
    stage.habits.note("asks");
    const anna = await stage.enter("anna").entered;
    const ben = stage.enter("ben");
    ben.signal.abort();
    await expect(ben.entered).rejects.toThrow("cancelled before its turn came");
    const more = stage.enter("anna");
    stage.answer(anna);
    expect(more.turn.place).toBe("in");
  });
});

describe("time", () => {
  test("progress moves the deadline of a call, up to a cap from its start", () => {
    const stage = new Stage();
    const { pending } = stage.begin("anna");
    const startMs = stage.clock.nowMs();
    while (stage.expired.length === 0) {
      stage.table.extend(pending);
      stage.clock.pass(REQUEST_MS - 1);
    }
    expect(stage.clock.nowMs() - startMs).toBeLessThan(TIMES.PROGRESS_CAP_MS + REQUEST_MS);
    expect(stage.clock.nowMs() - startMs).toBeGreaterThanOrEqual(TIMES.PROGRESS_CAP_MS - REQUEST_MS);
  });

  test("an answer that waits in the pipe after a stop of the process is read before the deadline is judged", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    const ben = stage.begin("ben");
    stage.clock.stall(2 * REQUEST_MS);
    stage.clock.pass(0);
    expect(stage.expired).toEqual([]);
    stage.answer(anna);
    stage.clock.pass(TIMES.READ_GRACE_MS);
    expect(stage.expired).toEqual([ben.pending]);
  });

  test("an id that comes back as a string is matched, and nothing else is", () => {
    const stage = new Stage();
    const anna = stage.begin("anna");
    for (const odd of [
      `0${anna.pending.id}`,
      `${anna.pending.id}.0`,
      ` ${anna.pending.id}`,
      "",
      null,
      undefined,
    ])
      expect(stage.table.answered(odd)).toBeUndefined();
    expect(stage.table.answered(String(anna.pending.id))).toBe(anna.pending);
    const ben = stage.begin("ben");
    const text = `{"jsonrpc":"2.0","id":${ben.pending.id}.0,"result":{}}`;
    const message = toMessage(JSON.parse(text), text);
    expect(message !== undefined && "id" in message && stage.table.answered(message.id)).toBe(ben.pending);
  });

  test("when the wire ends everybody is let go and no timer is left", async () => {
    const stage = new Stage();
    stage.habits.note("asks");
    const anna = await stage.enter("anna").entered;
    stage.ask();
    const ben = stage.enter("ben");
    expect(stage.table.clear()).toEqual([anna.pending]);
    await ben.entered;
    expect(anna.asked[0]?.signal.reason).toBe("the connection to the server has ended");
    stage.table.clear();
    expect(stage.clock.timers).toBe(0);
  });
});
