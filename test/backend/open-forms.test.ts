// What one client leaves undone on a server that all share is not the others' harm, with the default settings: an open form,
// a form that nobody will answer, a probe without an answer, a log level, a stop of the whole process.

import { expect, test } from "bun:test";
import type { Call, Question } from "../../src/protocol/call.ts";
import { Cancellation } from "../../src/protocol/cancellation.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { GatewayProcess, programEntry } from "../edge/gateway-process.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { fixture } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { caller, callTool, configOf, listener, makeBackend, program } from "./rig.ts";

const CAPABILITIES = { elicitation: { form: {} } };

/** A client that answers its forms when a test says so. */
class Person {
  readonly asked: Question[] = [];
  readonly signal = new Cancellation();
  readonly #answers: PromiseWithResolvers<Json>[] = [];
  readonly call: Partial<Call>;

  constructor(name: string, more: Parameters<typeof caller>[1] = {}) {
    this.call = {
      caller: caller(name, { capabilities: CAPABILITIES, ...more }),
      signal: this.signal,
      ask: (question, withdrawn) => {
        const answer = Promise.withResolvers<Json>();
        withdrawn.addEventListener("abort", () => answer.reject(new Error("withdrawn")));
        this.asked.push(question);
        this.#answers.push(answer);
        return answer.promise;
      },
    };
  }

  answer(): void {
    for (const { resolve } of this.#answers) resolve({ action: "accept", content: { name: "Ada" } });
  }
}

test("an open form, and one whose client has vanished, let every other client be asked", async () => {
  await using backend = makeBackend(program(fixture("asks-client")));
  const people = ["anna", "ben", "carla", "dora"].map((name) => new Person(name));
  const answers: Promise<string>[] = [];
  for (const { call, asked } of people) {
    answers.push(callTool(backend, "confirm", {}, call));
    await waitFor(() => asked.length === 1);
  }
  // Nobody waits for those who think, and nobody was refused.
  expect(await callTool(backend, "reported", {}, new Person("emil").call)).toBe("[]");
  const [anna, ...others] = people;
  anna?.signal.abort();
  await expect(answers[0]).rejects.toThrow("cancelled");
  const last = new Person("fritz");
  const asking = callTool(backend, "confirm", {}, last.call);
  await waitFor(() => last.asked.length === 1);
  for (const person of [...others, last]) person.answer();
  for (const answer of [...answers.slice(1), asking]) expect(await answer).toContain("accept");
}, 20_000);

test("a question that nobody answers ends after question_timeout, in whatever era the server asked it", async () => {
  for (const era of ["legacy", "modern"] as const) {
    const entry = program(referenceCommand(era));
    await using backend = makeBackend({ ...entry, question_timeout: "300ms" });
    const questions = {
      form: {
        method: "elicitation/create",
        params: { mode: "form", message: "?", requestedSchema: { type: "object", properties: {} } },
      },
    };
    const person = new Person(`client of ${era}`);
    const text = await callTool(backend, "ask", { questions }, person.call).catch(String);
    expect(person.asked).toHaveLength(1);
    expect(text).toContain("no answer within 0.3 s (question_timeout)");
  }
}, 20_000);

test("a probe that the server leaves unanswered is forgotten: what it says between calls is heard", async () => {
  const entry = { ...program(fixture("silent-on-unknown")), start_timeout: "4s" };
  expect(configOf("it", entry).startTimeoutMs).toBe(4_000);
  await using backend = makeBackend(entry);
  await callTool(backend, "echo", { text: "it runs" });
  expect(backend.status().inFlight).toBe(0);
  const { subscriber, heard } = listener();
  using _subscription = backend.subscribe(subscriber);
  await callTool(backend, "log_between", {});
  await waitFor(() => heard.length > 0);
}, 20_000);

test("the log level of one client does not hold for the next, which set none", async () => {
  await using backend = makeBackend(program(referenceCommand("legacy")));
  const linesOf = async (more: Parameters<typeof caller>[1], name: string) => {
    const levels: unknown[] = [];
    const notify: Call["notify"] = ({ params }) => void levels.push(params?.level);
    await callTool(backend, "log", { message: "x" }, { caller: caller(name, more), notify });
    return levels;
  };
  expect(await linesOf({ logLevel: "emergency" }, "quiet")).toEqual(["emergency"]);
  await Bun.sleep(0);
  const all = await waitFor(async () => {
    const levels = await linesOf({}, "has set none");
    return levels.length > 1 && levels;
  });
  expect(all).toContain("debug");
  expect(await linesOf({ logLevel: "error" }, "another")).not.toContain("warning");
}, 20_000);

test("what was learned about a server is shown, and told when it was learned", async () => {
  await using backend = makeBackend(program(fixture("asks-client")));
  const person = new Person("anna");
  const answer = callTool(backend, "confirm", {}, person.call);
  await waitFor(() => person.asked.length === 1);
  person.answer();
  await answer;
  expect(backend.status().learned).toEqual([expect.stringContaining("asks questions")]);
  expect(backend.status().withheld).toBe(0);
}, 20_000);

test("an answer that came while the gateway was stopped is no timeout", async () => {
  const [command = "", ...args] = fixture("healthy");
  const entry = { ...programEntry([command, ...args]), request_timeout: "2s" };
  await using gateway = await GatewayProcess.start({ backends: { it: entry } });
  await using client = await SdkClient.connect(`${gateway.url}/mcp/it`);
  await client.text("echo", { text: "it runs" });
  const slow = client.text("slow", { ms: 300, text: "done in time" });
  await waitFor(async () => {
    const status = await (await fetch(`${gateway.url}/status`)).text();
    return /"in_flight": ?1\b/.test(status);
  });
  process.kill(gateway.pid, "SIGSTOP");
  await Bun.sleep(2_500); // Longer than request_timeout: that is the point.
  process.kill(gateway.pid, "SIGCONT");
  expect(await slow).toContain("done in time");
}, 30_000);
