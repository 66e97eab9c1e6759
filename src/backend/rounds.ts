// Calls that need the client's help before they can finish, where client and backend put that in different words.

import type { Answer, Call, Question } from "../protocol/call.ts";
import { type Abortable, signalOf } from "../protocol/cancellation.ts";
import { changed, entriesOf, itemsOf, memberOf, objectOf, writtenMember } from "../protocol/exact.ts";
import { isObject, type Json, RpcError } from "../protocol/jsonrpc.ts";
import { McpErrorCode, Method, ResultType } from "../protocol/mcp.ts";
import { canAnswer } from "../protocol/questions.ts";

const MAX_ROUNDS = 8;

/** Puts a question to a caller; rejects with RpcError if it is not answered in time. */
export type Ask = (question: Question, withdrawn: Abortable) => Promise<Json>;

/** A call and how its caller is asked. */
export interface Asking {
  readonly call: Call;
  readonly ask: Ask;
}

/**
 * A modern backend's `input_required` becomes questions to the caller; the call is repeated with the answers.
 * `send` repeats the call with the given params. Throws RpcError where the caller cannot be asked.
 */
export async function answerRounds(
  asking: Asking,
  first: Answer,
  send: (params: Json) => Promise<Answer>,
): Promise<Answer> {
  const { call } = asking;
  let answer = first;
  for (let round = 0; answer.result.resultType === ResultType.inputRequired; round++) {
    if (round === MAX_ROUNDS) {
      const words = `The backend asked for input ${MAX_ROUNDS} times without an end.`;
      return unanswered(call, new RpcError(-32603, words));
    }
    const { result } = answer;
    const inputRequests = objectOf(result, "inputRequests");
    const retry: Json = {};
    try {
      if (inputRequests !== undefined) retry.inputResponses = await askAll(asking, inputRequests);
    } catch (thrown) {
      return unanswered(call, thrown);
    }
    if (result.requestState !== undefined) retry.requestState = writtenMember(result, "requestState");
    answer = await send(changed(call.params ?? {}, retry));
  }
  return answer;
}

async function askAll({ call, ask }: Asking, inputRequests: Json): Promise<Json> {
  const questions = entriesOf(inputRequests).map(([key, value]) => [key, toQuestion(value)] as const);
  for (const [, question] of questions) {
    if (!canAnswer(call.caller, question)) throw cannotAsk(question);
  }
  const failed = new AbortController();
  const signal = AbortSignal.any([signalOf(call.signal), failed.signal]);
  try {
    const answers = await Promise.all(
      questions.map(async ([key, question]) => [key, await ask(question, signal)] as const),
    );
    return Object.fromEntries(answers);
  } catch (thrown) {
    // Nobody should go on filling in a form that is of no use any more.
    failed.abort();
    throw thrown;
  }
}

function toQuestion(value: unknown): Question {
  if (!isObject(value) || typeof value.method !== "string") {
    throw new RpcError(-32603, "The backend asked for input in a form that is not a request.");
  }
  const params = objectOf(value, "params") ?? {};
  // A legacy client refuses a URL without an id (2025-11-25, client/elicitation); modern servers send none.
  const needsId =
    value.method === Method.elicit && params.mode === "url" && params.elicitationId === undefined;
  return {
    method: value.method,
    params: needsId ? changed(params, { elicitationId: crypto.randomUUID() }) : params,
  };
}

/** A call that got no answers: a model can read why in a tool's result; other methods have nothing but the error. */
export function unanswered({ method }: Pick<Call, "method">, thrown: unknown): Answer {
  if (method !== Method.callTool || !(thrown instanceof RpcError)) throw thrown;
  return { result: { content: [{ type: "text", text: thrown.message }], isError: true } };
}

/** What a backend is told, or a caller of the older era, when the question needs what the client never declared. */
export function cannotAsk(question: Question): RpcError {
  return new RpcError(-32601, `The client does not support ${question.method}, which this call needs.`);
}

/**
 * A legacy backend's "open this URL first" (-32042) becomes questions to a modern caller; the call is repeated after.
 * The backend has not acted on the call when it says so (2025-11-25, client/elicitation, "URL Elicitation Required").
 */
export async function answerUrlElicitations(asking: Asking, send: () => Promise<Answer>): Promise<Answer> {
  for (let round = 0; ; round++) {
    try {
      return await send();
    } catch (thrown) {
      const elicitations = urlQuestions(thrown).map(withoutId);
      if (elicitations.length === 0 || round === MAX_ROUNDS) throw thrown;
      await Promise.all(elicitations.map((question) => accept(asking, question)));
    }
  }
}

/** The pages that the user must open before a call that failed with -32042, in the form of a legacy server. */
export function urlQuestions(thrown: unknown): Question[] {
  if (!(thrown instanceof RpcError) || thrown.code !== McpErrorCode.urlElicitationRequired) return [];
  const listed = isObject(thrown.data) ? memberOf(thrown.data, "elicitations") : undefined;
  return itemsOf(Array.isArray(listed) ? listed : [])
    .filter(isObject)
    .map((params) => ({ method: Method.elicit, params }));
}

/** Questions of modern servers have no id. */
function withoutId({ method, params = {} }: Question): Question {
  return { method, params: changed(params, { elicitationId: undefined }) };
}

async function accept({ call, ask }: Asking, question: Question): Promise<void> {
  if (!canAnswer(call.caller, question)) throw cannotAsk(question);
  const { action } = await ask(question, call.signal);
  if (action !== "accept")
    throw new RpcError(-32603, `The user did not agree to open the page that this call needs.`);
}
