// The kinds of calls that clients make of the reference backend, and what each must get back: its own marks, all of them.

import { isObject, type Json } from "../../src/protocol/jsonrpc.ts";
import { LOG_LEVELS } from "../../src/protocol/mcp.ts";
import type { CallOptions, Client, Heard, Question } from "./client.ts";
import type { Ledger } from "./ledger.ts";

/** How the things of the backend are called on the way that a client takes. */
export interface Route {
  readonly path: string;
  readonly isMeta: boolean;
}

export interface Backend {
  readonly name: string;
  readonly isModern: boolean;
  /** The wire says of every message which call it belongs to; otherwise a log line finds its client at best. */
  readonly namesCalls: boolean;
}

export interface Made {
  readonly client: Client;
  readonly route: Route;
  readonly mark: string;
  readonly ledger: Ledger;
  readonly backend: Backend;
  /** False where the wire cannot say whose a log line is, and dropping it is allowed. */
  readonly logsAreExact: boolean;
  /** True where a question may be refused because it could be another client's. */
  readonly mayRefuse: boolean;
  /** How long the person takes to answer this question. */
  readonly thinkMs: () => number;
  /** Makes the one request, and checks that all that came for it is marked as its own. */
  ask(method: string, params: Json, options?: Asking): Promise<Heard>;
}

type Asking = Partial<Pick<CallOptions, "answer" | "cancels">>;

export type Kind = (made: Made) => Promise<void>;

const STEPS = 3;

function callTool(made: Made, tool: string, args: Json, options?: Asking): Promise<Heard> {
  const params = made.route.isMeta
    ? { name: "gateway_invoke", arguments: { server: made.backend.name, tool, arguments: args } }
    : { name: tool, arguments: args };
  return made.ask("tools/call", params, options);
}

function check(made: Made, isTrue: boolean, what: string, heard: unknown): void {
  made.ledger.expect(
    isTrue,
    () => `${made.client.name} ${made.mark} ${what}: ${JSON.stringify(heard).slice(0, 600)}`,
  );
}

function structured({ response }: Heard): Json {
  const result = response?.result;
  return isObject(result) && isObject(result.structuredContent) ? result.structuredContent : {};
}

function textOf({ response }: Heard): string {
  const result = response?.result;
  const [first] = isObject(result) && Array.isArray(result.content) ? result.content : [];
  return isObject(first) ? String(first.text) : "";
}

const echo: Kind = async (made) => {
  const args = { said: made.mark, odd: { nested: [null, made.mark] } };
  const heard = await callTool(made, "echo", args);
  check(made, JSON.stringify(JSON.parse(textOf(heard))) === JSON.stringify(args), "echo", heard);
  check(made, heard.notifications.length === 0 || !made.backend.namesCalls, "echo brought more", heard);
};

const whoami: Kind = async (made) => {
  const heard = await callTool(made, "whoami", { said: made.mark });
  const { clientInfo } = structured(heard);
  const expected = made.backend.isModern ? made.client.name : "mcp-gateway";
  check(made, isObject(clientInfo) && clientInfo.name === expected, "whoami", heard);
};

const progress: Kind = async (made) => {
  const heard = await callTool(made, "slow", { ms: 6, steps: STEPS, key: made.mark });
  const told = heard.notifications.filter(({ method }) => method === "notifications/progress");
  const values = told.map(({ params }) => (isObject(params) ? `${params.progress} ${params.message}` : ""));
  const expected = Array.from({ length: STEPS }, (_, n) => `${n + 1} ${made.mark}: ${n + 1} of ${STEPS}`);
  check(made, values.join() === expected.join(), "progress", heard);
  check(made, textOf(heard) === `${made.mark}: done`, "the slow call's answer", heard);
  made.ledger.count("progress", told.length);
};

const log: Kind = async (made) => {
  const heard = await callTool(made, "log", { message: made.mark });
  const { logLevel, era } = made.client;
  const lines = heard.notifications.filter(({ method }) => method === "notifications/message");
  const own = lines.filter(({ params }) => isObject(params) && params.data === made.mark);
  const levels = own.map(({ params }) => (isObject(params) ? String(params.level) : ""));
  const all: readonly string[] = LOG_LEVELS;
  const wanted =
    logLevel === undefined && era === "modern" ? [] : all.slice(all.indexOf(logLevel ?? "debug"));
  const heardOnce = wanted.filter((level) => levels.includes(level));
  check(made, heardOnce.join() === levels.join(), `log lines that were not asked for (${logLevel})`, levels);
  const mustBeAll = logLevel !== undefined && made.logsAreExact;
  check(made, !mustBeAll || levels.length === wanted.length, `log lines are missing (${logLevel})`, levels);
  made.ledger.count("log lines", levels.length);
  if (logLevel !== undefined) made.ledger.count("log lines dropped", wanted.length - levels.length);
};

const fail: Kind = async (made) => {
  const heard = await callTool(made, "fail_with", {
    code: 4711,
    message: made.mark,
    data: { of: made.mark },
  });
  const error = heard.response?.error;
  const isRight = made.route.isMeta
    ? textOf(heard).includes(`${made.mark} (4711)`)
    : isObject(error) && error.code === 4711 && JSON.stringify(error.data).includes(made.mark);
  check(made, isRight, "fail_with", heard);
};

const prompt: Kind = async (made) => {
  const own = "test_prompt_with_arguments";
  const name = made.route.isMeta ? `${made.backend.name}__${own}` : own;
  const heard = await made.ask("prompts/get", { name, arguments: { arg1: made.mark, arg2: "2" } });
  check(made, JSON.stringify(heard.response?.result ?? "").includes(`arg1='${made.mark}'`), "prompt", heard);
};

const resource: Kind = async (made) => {
  const own = `test://template/${made.mark}/data`;
  const uri = made.route.isMeta ? `gateway:${made.backend.name}:${own}` : own;
  const heard = await made.ask("resources/read", { uri });
  check(
    made,
    JSON.stringify(heard.response?.result ?? "").includes(`Data for ID: ${made.mark}`),
    "resource",
    heard,
  );
};

/** Three questions at once, each answered with what only this call can know. */
const ask: Kind = async (made) => {
  const { mark } = made;
  const requestedSchema = { type: "object", properties: { reply: { type: "string" } } };
  const messages = [{ role: "user", content: { type: "text", text: mark } }];
  const questions = {
    form: { method: "elicitation/create", params: { mode: "form", message: mark, requestedSchema } },
    model: { method: "sampling/createMessage", params: { messages, maxTokens: 5 } },
    roots: { method: "roots/list", params: {} },
  };
  const heard = await callTool(made, "ask", { questions, state: mark }, answering(made));
  if (isRefused(made, heard)) return;
  const text = JSON.stringify(structured(heard));
  const answers = [`${mark}form`, `${mark}model`, `${mark}roots`].filter((answer) => text.includes(answer));
  check(made, answers.length === 3, "the answers to its questions", heard);
  check(made, heard.questions.length === 3, "three questions", heard);
  made.ledger.count("questions", heard.questions.length);
};

function answering({ mark, thinkMs }: Made): Asking {
  return {
    answer: async (question) => {
      await Bun.sleep(thinkMs());
      return answerTo(question, mark);
    },
  };
}

function answerTo({ method }: Question, mark: string): Json {
  if (method === "roots/list") return { roots: [{ uri: `file:///${mark}roots` }] };
  if (method === "elicitation/create")
    return {
      action: "accept",
      content: { reply: `${mark}form`, name: `${mark}name`, color: `${mark}color` },
    };
  return { role: "assistant", model: "m", content: { type: "text", text: `${mark}model` } };
}

/** The gateway said that it cannot tell whose the question is. */
function isRefused(made: Made, heard: Heard): boolean {
  // In the result, or as the error that the server made of it.
  const text = JSON.stringify(heard.response ?? null);
  const isIt = made.mayRefuse && text.includes("the question names none of them");
  if (isIt) made.ledger.count("questions refused");
  return isIt;
}

/** A second question when the first is answered: in between others may have come in. */
const askTwice: Kind = async (made) => {
  const heard = await callTool(made, "test_input_required_result_multi_round", {}, answering(made));
  if (isRefused(made, heard)) return;
  const expected = `${made.mark}name likes ${made.mark}color.`;
  check(made, textOf(heard) === expected, "the answers to both questions", heard);
  made.ledger.count("questions", heard.questions.length);
};

/** A question that the wire does not tie to a call, on no wire. */
const aside: Kind = async (made) => {
  const heard = await callTool(made, "ask_aside", { message: made.mark }, answering(made));
  if (isRefused(made, heard)) return;
  const text = JSON.stringify(heard.response);
  check(made, text.includes(`${made.mark}form`), "the answer to its question aside", heard);
  made.ledger.count("questions", heard.questions.length);
};

/** Taken back while the backend works on it: whoever else uses this id goes on. */
const cancel: Kind = async (made) => {
  const args = { ms: 60_000, steps: 600, key: `${made.mark}cancel` };
  const heard = await callTool(made, "slow", args, { cancels: true });
  const isAnswered = heard.response !== undefined && !("error" in heard.response);
  check(made, !isAnswered, "an answer to a cancelled call", heard);
  made.ledger.count("cancelled calls");
};

export const KINDS = {
  echo,
  whoami,
  progress,
  log,
  fail,
  prompt,
  resource,
  ask,
  askTwice,
  aside,
  cancel,
} as const;
export type KindName = keyof typeof KINDS;
