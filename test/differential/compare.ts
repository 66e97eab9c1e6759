// Two recordings of one exchange, held against each other: what differs, and where.

import { isObject, type Json } from "../../src/protocol/jsonrpc.ts";

export interface Difference {
  /** From the recording down, as `[0].messages[1].result.ttlMs`. */
  readonly path: string;
  /** Undefined: not there. */
  readonly direct: unknown;
  readonly through: unknown;
}

/** What every run makes anew: names of questions and states, what a text of JSON says in which order. */
export function normalised(recorded: unknown): unknown {
  const questions = new Map<unknown, string>();
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    const isQuestion = value.method !== undefined && value.id !== undefined && value.jsonrpc !== undefined;
    const entries = Object.entries(value).map(([key, inner]) => [key, replace(key, inner)] as const);
    const copy: Json = Object.fromEntries(entries);
    if (isQuestion) copy.id = nameOf(value.id);
    if (isQuestion && isObject(copy.params)) copy.params = withoutToken(copy.params);
    if (value.method === "notifications/cancelled" && isObject(copy.params))
      copy.params.requestId = nameOf(copy.params.requestId);
    return copy;
  };
  const replace = (key: string, inner: unknown): unknown => {
    if (key === "headers" && isObject(inner)) return withoutHop(inner);
    if (key === "requestState" || key === "elicitationId") return typeof inner;
    if (key === "inputRequests" && isObject(inner))
      return Object.entries(inner).map(([name, question]) => ({ key: name, question: walk(question) }));
    if (key === "text" && typeof inner === "string") return walk(readText(inner));
    return walk(inner);
  };
  const nameOf = (id: unknown) => {
    const name = questions.get(id) ?? `question ${questions.size + 1}`;
    questions.set(id, name);
    return name;
  };
  return walk(recorded);
}

/** What the backend saw of the HTTP request: all but the mirrored arguments belongs to its own hop. */
function withoutHop(headers: Json): Json {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("mcp-param-")));
}

/** A question asks for its progress by a number of the one who puts it. */
function withoutToken({ _meta, ...params }: Json): Json {
  const { progressToken: _token, ...meta } = isObject(_meta) ? _meta : {};
  return Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
}

/** Tools put JSON into their texts; its members are compared one by one. */
function readText(text: string): unknown {
  if (/^[[{]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text.replace(/revision \d+/, "revision N");
}

export function differences(direct: unknown, through: unknown): Difference[] {
  return [...compare("", normalised(direct), normalised(through))];
}

function* compare(path: string, direct: unknown, through: unknown): Generator<Difference> {
  if (Array.isArray(direct) && Array.isArray(through)) {
    for (let at = 0; at < Math.max(direct.length, through.length); at++)
      yield* compare(`${path}[${at}]`, direct[at], through[at]);
  } else if (isObject(direct) && isObject(through)) {
    for (const key of new Set([...Object.keys(direct), ...Object.keys(through)]))
      yield* compare(`${path}.${key}`, own(direct, key), own(through, key));
  } else if (!Object.is(direct, through)) {
    yield { path, direct, through };
  }
}

function own(value: Json, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
