// The tool calls of the workloads: their JSON, in pieces that only need an id between them, and the answer each must get.

export interface ToolCall {
  /** The tool's name as the wire's headers repeat it. */
  readonly name: string;
  /** The members of `params`, without their braces; may differ by id. */
  readonly params: (id: number) => string;
  readonly expected: (id: number) => string;
}

/** The reference backend fills its results with this line. */
const LINE = 'The gateway passes this line on "as it is".\n';

export function filling(count: number): string {
  return LINE.repeat(Math.ceil(count / LINE.length)).slice(0, count);
}

/** A text of `length` characters that says which call it belongs to. */
export function echo(length: number): ToolCall {
  const rest = "e".repeat(length - 10);
  const text = (id: number) => String(id).padStart(10, "0") + rest;
  return { name: "echo", params: (id) => `"name":"echo","arguments":{"text":"${text(id)}"}`, expected: text };
}

/** A result of `count` characters. */
export function fill(count: number): ToolCall {
  const text = filling(count);
  const params = `"name":"fill","arguments":{"count":${count}}`;
  return { name: "fill", params: () => params, expected: () => text };
}

/** An argument of `length` characters. */
export function take(length: number): ToolCall {
  const params = `"name":"take","arguments":{"text":"${"t".repeat(length)}"}`;
  return { name: "take", params: () => params, expected: () => String(length) };
}

/** server-everything's own echo. */
export function echoMessage(length: number): ToolCall {
  const { expected } = echo(length);
  return {
    name: "echo",
    params: (id) => `"name":"echo","arguments":{"message":"${expected(id)}"}`,
    expected: (id) => `Echo: ${expected(id)}`,
  };
}

/** The same call by way of the meta-tool; a large result is wanted whole. */
export function invoked(call: ToolCall, server: string): ToolCall {
  return {
    name: "gateway_invoke",
    params: (id) => {
      const inner = call.params(id).replace('"name":', '"tool":');
      return `"name":"gateway_invoke","arguments":{"server":"${server}","max_tokens":0,${inner}}`;
    },
    expected: call.expected,
  };
}
