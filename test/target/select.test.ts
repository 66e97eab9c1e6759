// A part of a result by JMESPath: of structured content, of text that is JSON, and never by guessing.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { keepText } from "../../src/protocol/exact.ts";
import { readSelect } from "../../src/target/select.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { asBackend } from "../support/npm-programs.ts";
import { allText, type SdkClient, textOf } from "../support/sdk-client.ts";
import { TestGateway } from "./gateway.ts";

const ISSUES = {
  items: [
    { id: 1, title: "one", state: "open" },
    { id: 2, title: "two", state: "closed" },
  ],
};

function texts(...all: string[]) {
  return { content: all.map((text) => ({ type: "text", text })) };
}

const PLAIN_TEXT = "(select was not applied: the result is plain text and no JSON; call again without it)";

async function selected(expression: string, result: object): Promise<unknown> {
  return (await readSelect(expression))({ ...result });
}

describe("select", () => {
  test.each([
    ["items[].title", '["one","two"]'],
    ["items[?state=='open'].{id: id}", '[{"id":1}]'],
    ["items[0].title", "one"],
    ["length(items)", "2"],
    ["$.items[*].id", "[1,2]"],
  ])("%s takes from structured content", async (expression, expected) => {
    const result = { ...texts("ignored"), structuredContent: ISSUES };
    expect(await selected(expression, result)).toEqual(texts(expected));
  });

  test.each([
    ["id", "1234567890123456789"],
    ["[id, n]", "[1234567890123456789,1e400]"],
    ["items[].{id: id}", '[{"id":12345678901234567891},{"id":2}]'],
    ["items[?id == `2`].id", "[2]"],
    // Reckoned with as before.
    ["items[?id > `5`].name", '["a"]'],
    ["to_string(id)", "1234567890123456800"],
  ])("%s loses no digit of a number, in structured content and in text", async (expression, expected) => {
    const text =
      '{"id":1234567890123456789,"n":1e400,"items":[{"id":12345678901234567891,"name":"a"},{"id":2,"name":"b"}]}';
    const structuredContent: unknown = keepText(JSON.parse(text), text);
    const result = keepText({ structuredContent }, `{"structuredContent":${text}}`);
    const select = await readSelect(expression);
    expect(await select(result)).toEqual(texts(expected));
    expect(await select(texts(text))).toEqual(texts(expected));
  });

  test("takes from a text that is JSON, and from several as from a list", async () => {
    expect(await selected("items[1].id", texts(JSON.stringify(ISSUES)))).toEqual(texts("2"));
    expect(await selected("[].a", texts('{"a":1}', '{"a":2}'))).toEqual(texts("[1,2]"));
  });

  test("leaves images, _meta and isError where they are", async () => {
    const image = { type: "image", data: "AA==", mimeType: "image/png" };
    const result = { content: [{ type: "text", text: '{"a":1}' }, image], _meta: { x: 1 }, isError: false };
    expect(await selected("a", result)).toEqual({
      ...result,
      content: [{ type: "text", text: "1" }, image],
    });
  });

  test.each([
    ["says so where the result is plain text", texts("plain words"), texts("plain words", PLAIN_TEXT)],
    [
      "says so where structured content is plain text",
      { ...texts("plain words"), structuredContent: { content: "plain words" } },
      texts("null", "(select chose nothing: the result is plain text and no JSON; call again without it)"),
    ],
    [
      "takes from JSON that structured content wraps as text",
      { ...texts('{"a":1}'), structuredContent: { content: '{"a":1}' } },
      texts("1"),
    ],
    [
      "takes from wrapped text alone",
      { content: [], structuredContent: { result: '[{"a":1}]' } },
      texts("[1]"),
    ],
    ["takes from a text that is JSON after a heading", texts('Found one:\n{"a": [1]}'), texts("[1]")],
    [
      "takes from a fenced block",
      texts('Here:\n```json\n{"a": {"b": 2}}\n```\nThat is all.'),
      texts('{"b":2}'),
    ],
    ["takes from the text that is JSON beside one that is none", texts("Done.", '{"a":"x"}'), texts("x")],
    ["prefers structured content", { ...texts('{"a":1}'), structuredContent: { a: 2 } }, texts("2")],
    ["does not take a number for data", texts("42"), texts("42", PLAIN_TEXT)],
    [
      "does not take brackets for JSON",
      texts("[INFO] started\n{not json"),
      texts("[INFO] started\n{not json", PLAIN_TEXT),
    ],
  ])("%s", async (_what, result, expected) => {
    expect(await selected("a || [].a", result)).toEqual(expected);
  });

  test("that fails once the call is made gives the result whole, and why", async () => {
    const result = { content: [], structuredContent: ISSUES };
    expect(await selected("nonsense(items)", result)).toEqual({
      ...result,
      content: [{ type: "text", text: "(select was not applied: Unknown function: nonsense())" }],
    });
  });

  test.each([
    ["titles", ISSUES, "the result has items"],
    ["a", [1, 2, 3], "the result is a list of 3"],
    ["toString", ISSUES, "the result has items"],
  ])("that chooses nothing (%s) says what there is", async (expression, structuredContent, words) => {
    const result = await selected(expression, { content: [], structuredContent });
    expect(textOf(result)).toBe("null");
    expect(allText(result)).toContain(words);
  });

  test("leaves a text alone that takes too long to parse, and says so", async () => {
    const item = JSON.stringify({ text: "x".repeat(1_000) });
    const list = (megabytes: number) =>
      `[${Array.from({ length: megabytes * 1_000 }, () => item).join(",")}]`;
    expect(await selected("length(@)", texts(list(4)))).toEqual(texts("4000"));
    const note = "(select was not applied: the result has more than 4 MiB of text)";
    expect(await selected("length(@)", texts(list(5)))).toEqual(texts(list(5), note));
    expect(await selected("length(@)", texts(list(3), list(3)))).toEqual(texts(list(3), list(3), note));
    const structuredContent = { result: list(5) };
    expect(await selected("length(@)", { content: [], structuredContent })).toEqual({
      ...texts(note),
      structuredContent,
    });
  });

  test("lets others have their turn before each evaluation", async () => {
    const seen: string[] = [];
    const select = await readSelect("[id]");
    const chosen = select(texts('{"id":12345678901234567890}')).then(() => seen.push("chosen"));
    setImmediate(() => seen.push("other"));
    await chosen;
    expect(seen).toEqual(["other", "chosen"]);
  });

  test.each(["items[", "", "a".repeat(2_000)])("that is no expression is refused: %p", async (expression) => {
    await expect(selected(expression, { structuredContent: ISSUES })).rejects.toThrow(/for example items/);
  });
});

describe("through gateway_invoke", () => {
  let gateway: TestGateway;
  let sdk: SdkClient;

  beforeAll(async () => {
    gateway = await TestGateway.start({ backends: { reference: asBackend(referenceCommand("both")) } });
    sdk = await gateway.connect();
  });

  afterAll(async () => {
    await sdk[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  function invoke(tool: string, args: object, more: object) {
    const all = { server: "reference", tool, arguments: args, ...more };
    return sdk.client.callTool({ name: "gateway_invoke", arguments: all });
  }

  test("a part of the structured content comes alone", async () => {
    const result = await invoke("structured", { city: "Bergen" }, { select: "degrees" });
    expect(result).toMatchObject({ content: [{ type: "text", text: "21.5" }] });
    expect(result).not.toHaveProperty("structuredContent");
  });

  test("nothing is called for the sake of a wrong expression", async () => {
    const refused = await invoke("exit", {}, { select: "items[" });
    expect(refused.isError).toBe(true);
    expect(allText(refused)).toContain("no JMESPath");
    expect(await invoke("structured", {}, {})).not.toHaveProperty("isError", true);
  });

  // Many serializers write null for what there is not; PHP writes [] for an empty object.
  test.each([
    { arguments: [] },
    { arguments: "[]" },
    { arguments: null },
    { arguments: undefined, cursor: null },
  ])("%j are no arguments", async (more) => {
    expect(allText(await invoke("echo", {}, more))).toBe("{}");
  });

  test("what fails comes whole", async () => {
    const result = { content: [{ type: "text", text: '{"why":"because"}' }], isError: true };
    expect(await invoke("answer_with", { result }, { select: "nothing" })).toMatchObject(result);
  });

  test("what was chosen is limited as well", async () => {
    const result = {
      content: [],
      structuredContent: { rows: Array.from({ length: 100 }, (_, id) => ({ id })) },
    };
    const answer = await invoke("answer_with", { result }, { select: "rows[].id", max_tokens: 20 });
    expect(textOf(answer)).toHaveLength(80);
    expect(allText(answer)).toContain("about tokens 1 to 20 of 73");
  });
});
