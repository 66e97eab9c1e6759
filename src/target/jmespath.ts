// Evaluates a parsed JMESPath expression within a budget. The expression is the client's and the data is a server's, so
// every step, every produced element and every character of a produced string is paid for before it is produced: no
// expression can hold the event loop or fill the memory. Must not know MCP.

import type { JSONObject, JSONValue } from "@jmespath-community/jmespath";

type Node = ReturnType<typeof import("@jmespath-community/jmespath").compile>;
type NodeOf<T extends Node["type"]> = Extract<Node, { readonly type: T }>;

/** One step takes up to 100 ns, so the most expensive expression holds the event loop for less than 50 ms. */
const MAX_STEPS = 400_000;
/** A bound in time, for machines on which a step takes much longer. */
const MAX_MS = 500;
const STEPS_PER_CLOCK_READ = 16_384;
const CHARACTERS_PER_STEP = 16;
const STEPS_PER_ENTRY = 1;
/** The keys of a large object are looked up in a table of its own. */
const STEPS_PER_ENTRY_OF_MANY = 5;
const MANY_ENTRIES = 64;
/** The price of objects besides the value: the arguments of a function, the scope of a let, the hash of a multi-select. */
const STEPS_PER_STRUCTURE = 6;
/** A search may compare all characters of the needle at each position of the text, many at a time. */
const COMPARISONS_PER_STEP = 512;

/** Throws an Error if the expression is wrong or the budget is spent. */
export function evaluate(expression: Node, data: JSONValue): JSONValue {
  return new Evaluation(data).run(expression);
}

class Budget {
  #left = MAX_STEPS;
  #nextClockRead = MAX_STEPS - STEPS_PER_CLOCK_READ;
  readonly #startedMs = performance.now();

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left > this.#nextClockRead) return;
    this.#nextClockRead = this.#left - STEPS_PER_CLOCK_READ;
    if (this.#left >= 0 && performance.now() - this.#startedMs < MAX_MS) return;
    throw new Error(
      `it takes more than ${MAX_STEPS.toLocaleString("en")} steps on this result; write a simpler expression or select from a slice such as items[:100]`,
    );
  }

  spendCharacters(count: number): void {
    this.spend(1 + count / CHARACTERS_PER_STEP);
  }

  spendSearch(text: string, needle: string): void {
    this.spendCharacters(text.length);
    this.spend((text.length * needle.length) / COMPARISONS_PER_STEP);
  }

  /** Pays for reading a whole value. Values share parts, so the written value may be much longer than in memory. */
  spendWhole(value: JSONValue): void {
    if (typeof value === "string") return this.spendCharacters(value.length);
    this.spend(1);
    if (Array.isArray(value)) for (const element of value) this.spendWhole(element);
    else if (isRecord(value)) {
      for (const [key, member] of this.entries(value)) {
        this.spendCharacters(key.length);
        this.spendWhole(member);
      }
    }
  }

  /** The engine reads all keys at once, so they are paid for afterwards. The data itself is bounded. */
  entries(value: JSONObject): [string, JSONValue][] {
    const entries = Object.entries(value);
    this.spend(entries.length * (entries.length > MANY_ENTRIES ? STEPS_PER_ENTRY_OF_MANY : STEPS_PER_ENTRY));
    return entries;
  }
}

/** Applies `right` to each element of `left`. */
interface Projection {
  readonly type: Node["type"];
  readonly left: Node;
  readonly right: Node;
  readonly condition?: Node;
}

/** The variables that an expression sees. */
interface Scope {
  readonly values: ReadonlyMap<string, JSONValue>;
  readonly outer: Scope | undefined;
}

/** An expression that a function applies: `&name`. A class, so that it cannot be confused with data. */
class Reference {
  readonly #evaluation: Evaluation;
  readonly #node: Node;
  readonly #scope: Scope | undefined;

  constructor(evaluation: Evaluation, node: Node, scope: Scope | undefined) {
    this.#evaluation = evaluation;
    this.#node = node;
    this.#scope = scope;
  }

  apply(value: JSONValue): JSONValue {
    return this.#evaluation.visit(this.#node, value, this.#scope);
  }
}

class Evaluation {
  readonly #root: JSONValue;
  readonly #budget = new Budget();

  constructor(root: JSONValue) {
    this.#root = root;
  }

  run(expression: Node): JSONValue {
    const value = this.visit(expression, this.#root, undefined);
    // The caller writes the result as JSON, so that is paid for here.
    this.#budget.spendWhole(value);
    return value;
  }

  visit(node: Node, value: JSONValue, scope: Scope | undefined): JSONValue {
    this.#budget.spend(1);
    switch (node.type) {
      case "Current":
      case "Identity":
        return value;
      case "Root":
        return this.#root;
      case "Literal":
        return node.value;
      case "Field":
        return isRecord(value) && Object.hasOwn(value, node.name) ? (value[node.name] ?? null) : null;
      case "Index":
        return Array.isArray(value) ? (value.at(node.value) ?? null) : null;
      case "Slice":
        return this.#slice(node, value);
      case "IndexExpression":
      case "Pipe":
        return this.visit(node.right, this.visit(node.left, value, scope), scope);
      case "Subexpression": {
        const left = this.visit(node.left, value, scope);
        return left === null ? null : this.visit(node.right, left, scope);
      }
      case "Projection":
      case "ValueProjection":
      case "FilterProjection":
        return this.#project(node, value, scope);
      case "Flatten":
        return this.#flatten(this.visit(node.child, value, scope));
      default:
        return this.#compute(node, value, scope);
    }
  }

  #compute(node: Node, value: JSONValue, scope: Scope | undefined): JSONValue {
    switch (node.type) {
      case "MultiSelectList":
        return node.children.map((child) => this.visit(child, value, scope));
      case "MultiSelectHash":
        this.#budget.spend(STEPS_PER_STRUCTURE);
        return Object.fromEntries(
          node.children.map((child) => [child.name, this.visit(child.value, value, scope)]),
        );
      case "Ternary":
        return this.visit(
          this.#holds(node.condition, value, scope) ? node.trueExpr : node.falseExpr,
          value,
          scope,
        );
      case "OrExpression": {
        const left = this.visit(node.left, value, scope);
        return this.#isTrue(left) ? left : this.visit(node.right, value, scope);
      }
      case "AndExpression": {
        const left = this.visit(node.left, value, scope);
        return this.#isTrue(left) ? this.visit(node.right, value, scope) : left;
      }
      case "NotExpression":
        return !this.#holds(node.child, value, scope);
      case "Comparator":
        return this.#compare(
          node.name,
          this.visit(node.left, value, scope),
          this.visit(node.right, value, scope),
        );
      case "Arithmetic":
        return calculate(
          node.operator,
          this.visit(node.left, value, scope),
          this.visit(node.right, value, scope),
        );
      case "Unary": {
        const operand = operandOf(this.visit(node.operand, value, scope));
        return node.operator === "Minus" ? -operand : operand;
      }
      case "Function":
        return this.#callFunction(node, value, scope);
      case "LetExpression":
        return this.#let(node, value, scope);
      case "Variable":
        return variable(node.name, scope);
      default:
        throw new Error(`${node.type} does not stand where it can be evaluated`);
    }
  }

  #holds(node: Node, value: JSONValue, scope: Scope | undefined): boolean {
    return this.#isTrue(this.visit(node, value, scope));
  }

  #isTrue(value: JSONValue): boolean {
    if (Array.isArray(value)) return value.length > 0;
    if (isRecord(value)) return this.#budget.entries(value).length > 0;
    return value !== null && value !== false && value !== "";
  }

  #project(node: Projection, value: JSONValue, scope: Scope | undefined): JSONValue {
    const base = this.visit(node.left, value, scope);
    // The rest of the expression after a slice of a string is applied to the string.
    const isOfSlice = node.left.type === "IndexExpression" && node.left.right.type === "Slice";
    if (isOfSlice && node.type === "Projection" && typeof base === "string")
      return this.visit(node.right, base, scope);
    const elements = this.#elements(node, base);
    if (elements === undefined) return null;
    const collected: JSONValue[] = [];
    for (const element of elements) {
      if (node.condition !== undefined && !this.#holds(node.condition, element, scope)) continue;
      const chosen = this.visit(node.right, element, scope);
      if (chosen !== null) collected.push(chosen);
    }
    return collected;
  }

  #elements({ type }: Projection, base: JSONValue): readonly JSONValue[] | undefined {
    if (type !== "ValueProjection") return Array.isArray(base) ? base : undefined;
    return isRecord(base) ? this.#budget.entries(base).map(([, member]) => member) : undefined;
  }

  #flatten(value: JSONValue): JSONValue {
    if (!Array.isArray(value)) return null;
    const flat: JSONValue[] = [];
    for (const element of value) {
      const parts = Array.isArray(element) ? element : [element];
      this.#budget.spend(parts.length);
      for (const part of parts) flat.push(part);
    }
    return flat;
  }

  #slice(node: NodeOf<"Slice">, value: JSONValue): JSONValue {
    if (typeof value === "string") {
      this.#budget.spend(value.length);
      return sliced([...value], node).join("");
    }
    if (!Array.isArray(value)) return null;
    const chosen = sliced(value, node);
    this.#budget.spend(chosen.length);
    return chosen;
  }

  #compare(name: NodeOf<"Comparator">["name"], left: JSONValue, right: JSONValue): JSONValue {
    if (name === "EQ") return areEqual(left, right, this.#budget);
    if (name === "NE") return !areEqual(left, right, this.#budget);
    if (typeof left !== "number" || typeof right !== "number") return null;
    if (name === "GT") return left > right;
    if (name === "GTE") return left >= right;
    return name === "LT" ? left < right : left <= right;
  }

  #let(node: NodeOf<"LetExpression">, value: JSONValue, scope: Scope | undefined): JSONValue {
    this.#budget.spend(STEPS_PER_STRUCTURE);
    const values = new Map<string, JSONValue>();
    for (const binding of node.bindings) {
      if (binding.type !== "Binding") throw new Error("let needs bindings such as $name = expression");
      values.set(binding.variable, this.visit(binding.reference, value, scope));
    }
    return this.visit(node.expression, value, { values, outer: scope });
  }

  #callFunction(node: NodeOf<"Function">, value: JSONValue, scope: Scope | undefined): JSONValue {
    this.#budget.spend(STEPS_PER_STRUCTURE);
    const known = FUNCTIONS.get(node.name);
    if (known === undefined) throw new Error(`Unknown function: ${node.name}()`);
    const { least, most, call } = known;
    const count = node.children.length;
    if (count < least || count > most) {
      const wanted =
        least === most ? least : `${least} to ${most === Number.POSITIVE_INFINITY ? "any number of" : most}`;
      throw new Error(`Invalid arity: ${node.name}() takes ${wanted} arguments but received ${count}`);
    }
    const values = node.children.map((child) =>
      child.type === "ExpressionReference"
        ? new Reference(this, child.child, scope)
        : this.visit(child, value, scope),
    );
    return call(new Arguments(node.name, values, this.#budget));
  }
}

/** The arguments of one function call, read by type. */
class Arguments {
  readonly #name: string;
  readonly #values: readonly (JSONValue | Reference)[];
  readonly budget: Budget;

  constructor(name: string, values: readonly (JSONValue | Reference)[], budget: Budget) {
    this.#name = name;
    this.#values = values;
    this.budget = budget;
  }

  get count(): number {
    return this.#values.length;
  }

  any(i: number): JSONValue {
    const value = this.#values[i] ?? null;
    if (value instanceof Reference) throw this.wrongType(i, "any value");
    return value;
  }

  reference(i: number): Reference {
    const value = this.#values[i];
    if (!(value instanceof Reference)) throw this.wrongType(i, "expression");
    return value;
  }

  number(i: number): number {
    const value = this.#values[i];
    if (typeof value !== "number") throw this.wrongType(i, "number");
    return value;
  }

  /** A count or a position; `otherwise` if it was not given. */
  integer(i: number, otherwise: number): number {
    if (i >= this.count || this.#values[i] === null) return otherwise;
    const value = this.number(i);
    if (!Number.isSafeInteger(value)) throw this.wrongType(i, "integer");
    return value;
  }

  /** As `integer`, 0 or more. */
  size(i: number, otherwise: number): number {
    const value = this.integer(i, otherwise);
    if (value < 0) throw this.wrongType(i, "non-negative integer");
    return value;
  }

  string(i: number, otherwise?: string): string {
    if (i >= this.count && otherwise !== undefined) return otherwise;
    const value = this.#values[i];
    if (typeof value !== "string") throw this.wrongType(i, "string");
    return value;
  }

  array(i: number): readonly JSONValue[] {
    const value = this.#values[i];
    if (!Array.isArray(value)) throw this.wrongType(i, "array");
    this.budget.spend(value.length);
    return value;
  }

  strings(i: number): string[] {
    return this.array(i).map((element) => {
      if (typeof element !== "string") throw this.wrongType(i, "array of strings");
      return element;
    });
  }

  numbers(i: number): number[] {
    return this.array(i).map((element) => {
      if (typeof element !== "number") throw this.wrongType(i, "array of numbers");
      return element;
    });
  }

  entries(i: number): [string, JSONValue][] {
    const value = this.#values[i];
    if (value instanceof Reference || !isRecord(value)) throw this.wrongType(i, "object");
    return this.budget.entries(value);
  }

  /** Strings or numbers, all of one kind, as sorting and the like need them. */
  comparable(i: number): Key[] {
    return oneKind(this.array(i), () => this.wrongType(i, "array of strings or array of numbers"));
  }

  /** The values that the expression reference at `i` selects from each element. */
  keys(i: number, elements: readonly JSONValue[]): Key[] {
    const reference = this.reference(i);
    const keys = elements.map((element) => reference.apply(element));
    return oneKind(keys, () => this.wrongType(i, "expression that chooses numbers, or strings, only"));
  }

  wrongType(i: number, wanted: string): Error {
    const received = typeName(this.#values[i] ?? null);
    return new Error(
      `Invalid type: ${this.#name}() expected argument ${i + 1} to be ${wanted} but received ${received}`,
    );
  }
}

type Key = string | number;

function oneKind(values: readonly JSONValue[], refusal: () => Error): Key[] {
  const kind = typeof values[0];
  return values.map((value) => {
    if ((typeof value !== "string" && typeof value !== "number") || typeof value !== kind) throw refusal();
    return value;
  });
}

interface Builtin {
  readonly least: number;
  readonly most: number;
  readonly call: (args: Arguments) => JSONValue;
}

const MANY = Number.POSITIVE_INFINITY;

const FUNCTIONS: ReadonlyMap<string, Builtin> = new Map([
  define("abs", 1, 1, (args) => Math.abs(args.number(0))),
  define("avg", 1, 1, (args) => {
    const numbers = args.numbers(0);
    return numbers.length === 0 ? null : sum(numbers) / numbers.length;
  }),
  define("ceil", 1, 1, (args) => Math.ceil(args.number(0))),
  define("contains", 2, 2, contains),
  define("ends_with", 2, 2, (args) => {
    args.budget.spendCharacters(args.string(1).length);
    return args.string(0).endsWith(args.string(1));
  }),
  define("find_first", 2, 4, (args) => find(args, (text, needle) => text.indexOf(needle))),
  define("find_last", 2, 4, (args) => find(args, (text, needle) => text.lastIndexOf(needle))),
  define("floor", 1, 1, (args) => Math.floor(args.number(0))),
  define("from_items", 1, 1, (args) => Object.fromEntries(args.array(0).map((pair) => pairOf(args, pair)))),
  define("group_by", 2, 2, groupBy),
  define("items", 1, 1, (args) => args.entries(0)),
  define("join", 2, 2, join),
  define("keys", 1, 1, (args) => args.entries(0).map(([key]) => key)),
  define("length", 1, 1, lengthOf),
  define("lower", 1, 1, (args) => written(args, (text) => text.toLowerCase())),
  define("map", 2, 2, (args) => {
    const reference = args.reference(0);
    return args.array(1).map((element) => reference.apply(element));
  }),
  define("max", 1, 1, (args) => mostOf(args, args.comparable(0), 1)?.key ?? null),
  define("max_by", 2, 2, (args) => best(args, 1)),
  define("merge", 0, MANY, (args) => {
    const merged = new Map<string, JSONValue>();
    for (let i = 0; i < args.count; i++) for (const [key, value] of args.entries(i)) merged.set(key, value);
    return Object.fromEntries(merged);
  }),
  define("min", 1, 1, (args) => mostOf(args, args.comparable(0), -1)?.key ?? null),
  define("min_by", 2, 2, (args) => best(args, -1)),
  define("not_null", 1, MANY, (args) => {
    for (let i = 0; i < args.count; i++) if (args.any(i) !== null) return args.any(i);
    return null;
  }),
  define("pad_left", 2, 3, (args) => pad(args, (text, width, padding) => text.padStart(width, padding))),
  define("pad_right", 2, 3, (args) => pad(args, (text, width, padding) => text.padEnd(width, padding))),
  define("replace", 3, 4, replace),
  define("reverse", 1, 1, (args) => {
    const value = args.any(0);
    if (typeof value !== "string") return args.array(0).toReversed();
    args.budget.spend(value.length);
    return [...value].reverse().join("");
  }),
  define("sort", 1, 1, (args) => sorted(args, args.comparable(0), args.array(0))),
  define("sort_by", 2, 2, (args) => sorted(args, args.keys(1, args.array(0)), args.array(0))),
  define("split", 2, 3, split),
  define("starts_with", 2, 2, (args) => {
    args.budget.spendCharacters(args.string(1).length);
    return args.string(0).startsWith(args.string(1));
  }),
  define("sum", 1, 1, (args) => sum(args.numbers(0))),
  define("to_array", 1, 1, (args) => (Array.isArray(args.any(0)) ? args.any(0) : [args.any(0)])),
  define("to_number", 1, 1, toNumber),
  define("to_string", 1, 1, (args) => {
    const value = args.any(0);
    if (typeof value === "string") return value;
    args.budget.spendWhole(value);
    return JSON.stringify(value);
  }),
  define("trim", 1, 2, (args) => trim(args, true, true)),
  define("trim_left", 1, 2, (args) => trim(args, true, false)),
  define("trim_right", 1, 2, (args) => trim(args, false, true)),
  define("type", 1, 1, (args) => typeName(args.any(0))),
  define("upper", 1, 1, (args) => written(args, (text) => text.toUpperCase())),
  define("values", 1, 1, (args) => args.entries(0).map(([, value]) => value)),
  define("zip", 1, MANY, zip),
]);

function define(
  name: string,
  least: number,
  most: number,
  call: Builtin["call"],
): readonly [string, Builtin] {
  return [name, { least, most, call }];
}

function contains(args: Arguments): JSONValue {
  const wanted = args.any(1);
  const searched = args.any(0);
  if (typeof searched !== "string") {
    return args.array(0).some((element) => areEqual(element, wanted, args.budget));
  }
  if (typeof wanted !== "string") return null;
  args.budget.spendSearch(searched, wanted);
  return searched.includes(wanted);
}

function find(args: Arguments, position: (text: string, needle: string) => number): JSONValue {
  const text = args.string(0);
  const needle = args.string(1);
  if (text === "" || needle === "") return null;
  args.budget.spendSearch(text, needle);
  const start = Math.max(args.integer(2, 0), 0);
  const end = Math.min(args.integer(3, text.length) || text.length, text.length);
  const found = position(text.slice(start, end), needle);
  return found === -1 ? null : found + start;
}

function pairOf(args: Arguments, pair: JSONValue): [string, JSONValue] {
  if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
    throw args.wrongType(0, "array of pairs of a string and a value");
  }
  return [pair[0], pair[1] ?? null];
}

function groupBy(args: Arguments): JSONValue {
  const groups = new Map<string, JSONValue[]>();
  const reference = args.reference(1);
  for (const element of args.array(0)) {
    const key = reference.apply(element);
    if (typeof key !== "string") throw args.wrongType(1, "expression that chooses strings only");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [element]);
    else group.push(element);
  }
  return Object.fromEntries(groups);
}

function join(args: Arguments): JSONValue {
  const glue = args.string(0);
  const texts = args.strings(1);
  for (const text of texts) args.budget.spendCharacters(glue.length + text.length);
  return texts.join(glue);
}

function lengthOf(args: Arguments): JSONValue {
  const value = args.any(0);
  if (Array.isArray(value)) return value.length;
  if (typeof value !== "string") return args.entries(0).length;
  args.budget.spend(value.length / 4);
  let pairs = 0;
  for (let i = 0; i < value.length; i++) if ((value.codePointAt(i) ?? 0) > 0xffff) pairs += 1;
  return value.length - pairs;
}

/** Upper and lower case are at most three times as long, in any script. */
function written(args: Arguments, change: (text: string) => string): JSONValue {
  const text = args.string(0);
  args.budget.spendCharacters(3 * text.length);
  return change(text);
}

function pad(args: Arguments, put: (text: string, width: number, padding: string) => string): JSONValue {
  const text = args.string(0);
  const width = args.size(1, 0);
  const padding = args.string(2, " ") || " ";
  if (padding.length > 1) throw args.wrongType(2, "string of one character");
  args.budget.spendCharacters(width);
  return text === "" ? "" : put(text, width, padding);
}

function replace(args: Arguments): JSONValue {
  const text = args.string(0);
  const by = args.string(2);
  const parts = partsOf(args, text, args.string(1));
  const count = Math.min(args.size(3, 0) || (args.count > 3 ? 0 : MANY), parts.length - 1);
  args.budget.spendCharacters(text.length);
  args.budget.spend((count * by.length) / CHARACTERS_PER_STEP);
  const replaced = parts.slice(0, count + 1).join(by);
  return [replaced, ...parts.slice(count + 1)].join(args.string(1));
}

function split(args: Arguments): JSONValue {
  const text = args.string(0);
  const separator = args.string(1);
  if (text === "" && separator === "") return [];
  const parts = partsOf(args, text, separator);
  const count = args.size(2, parts.length);
  if (count >= parts.length) return parts;
  return [...parts.slice(0, count), parts.slice(count).join(separator)];
}

function partsOf(args: Arguments, text: string, separator: string): string[] {
  args.budget.spendSearch(text, separator);
  // Each part is paid for by the separator before it. An empty separator splits into single characters.
  args.budget.spend(text.length / Math.max(separator.length, 1));
  return text.split(separator);
}

const BLANK = /[\s\u0085]/;

function trim(args: Arguments, atStart: boolean, atEnd: boolean): JSONValue {
  const text = args.string(0);
  const given = args.string(1, "");
  args.budget.spend(given.length);
  const listed = new Set(given);
  const isCut = (i: number) => {
    args.budget.spend(2);
    const character = text.charAt(i);
    return given === "" ? BLANK.test(character) : listed.has(character);
  };
  let start = 0;
  let end = text.length;
  while (atStart && start < end && isCut(start)) start += 1;
  while (atEnd && end > start && isCut(end - 1)) end -= 1;
  return text.slice(start, end);
}

function toNumber(args: Arguments): JSONValue {
  const value = args.any(0);
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  args.budget.spendCharacters(value.length);
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function zip(args: Arguments): JSONValue {
  const lists = Array.from({ length: args.count }, (_, i) => args.array(i));
  const length = Math.min(...lists.map((list) => list.length));
  args.budget.spend(length * lists.length);
  return Array.from({ length }, (_, i) => lists.map((list) => list[i] ?? null));
}

function sorted(args: Arguments, keys: readonly Key[], elements: readonly JSONValue[]): JSONValue {
  return elements
    .map((element, i) => ({ element, key: keys[i] ?? "" }))
    .sort((a, b) => order(a.key, b.key, args.budget))
    .map(({ element }) => element);
}

function best(args: Arguments, sign: 1 | -1): JSONValue {
  const elements = args.array(0);
  const found = mostOf(args, args.keys(1, elements), sign);
  return found === undefined ? null : (elements[found.at] ?? null);
}

/** The first of the greatest keys, or of the least if `sign` is -1. */
function mostOf(
  args: Arguments,
  keys: readonly Key[],
  sign: 1 | -1,
): { readonly key: Key; readonly at: number } | undefined {
  let found: { key: Key; at: number } | undefined;
  for (const [at, key] of keys.entries()) {
    if (found === undefined || sign * order(key, found.key, args.budget) > 0) found = { key, at };
  }
  return found;
}

/** Strings in the order of their code units. */
function order(a: Key, b: Key, budget: Budget): number {
  budget.spend(1);
  if (typeof a === "string" && typeof b === "string") budget.spendCharacters(Math.min(a.length, b.length));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function areEqual(a: JSONValue, b: JSONValue, budget: Budget): boolean {
  budget.spend(1);
  if (a === b) {
    if (typeof a === "string") budget.spendCharacters(a.length);
    return true;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, i) => areEqual(element, b[i] ?? null, budget));
  }
  if (typeof a === "string" && typeof b === "string") {
    if (a.length === b.length) budget.spendCharacters(a.length);
    return false;
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const entries = budget.entries(a);
  if (entries.length !== budget.entries(b).length) return false;
  return entries.every(([key, value]) => Object.hasOwn(b, key) && areEqual(value, b[key] ?? null, budget));
}

function sliced(list: readonly JSONValue[], { start, stop, step: given }: NodeOf<"Slice">): JSONValue[] {
  const step = given ?? 1;
  if (step === 0) throw new Error("Invalid value: the step of a slice cannot be 0");
  const within = (position: number, least: number, most: number) =>
    Math.min(Math.max(position < 0 ? position + list.length : position, least), most);
  const chosen: JSONValue[] = [];
  if (step > 0) {
    const end = within(stop ?? list.length, 0, list.length);
    for (let i = within(start ?? 0, 0, list.length); i < end; i += step) chosen.push(list[i] ?? null);
    return chosen;
  }
  const end = stop === null ? -1 : within(stop, -1, list.length - 1);
  const first = start === null ? list.length - 1 : within(start, -1, list.length - 1);
  for (let i = first; i > end; i += step) chosen.push(list[i] ?? null);
  return chosen;
}

function calculate(operator: NodeOf<"Arithmetic">["operator"], left: JSONValue, right: JSONValue): number {
  const a = operandOf(left);
  const b = operandOf(right);
  const divides = operator === "Divide" || operator === "Div";
  if (divides && b === 0) throw new Error("not-a-number: divide by zero");
  switch (operator) {
    case "Plus":
      return a + b;
    case "Minus":
      return a - b;
    case "Divide":
      return a / b;
    case "Div":
      return Math.floor(a / b);
    case "Modulo":
      return a % b;
    default:
      return a * b;
  }
}

function operandOf(value: JSONValue): number {
  if (typeof value !== "number") throw new Error(`not-a-number: ${typeName(value)}`);
  return value;
}

function variable(name: string, scope: Scope | undefined): JSONValue {
  for (let at = scope; at !== undefined; at = at.outer) {
    const value = at.values.get(name);
    if (value !== undefined) return value;
  }
  throw new Error(`Error referencing undefined variable ${name}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, number) => all + number, 0);
}

function typeName(value: JSONValue | Reference): string {
  if (value === null) return "null";
  if (value instanceof Reference) return "expression";
  return Array.isArray(value) ? "array" : typeof value;
}

function isRecord(value: JSONValue | undefined): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
