// The text of a result is the result and nothing else, whatever a backend makes of the envelope around it.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { answerOf } from "../../../src/backend/connection/answer-text.ts";
import { isRequest, toMessage } from "../../../src/protocol/jsonrpc.ts";

const ID = 5;

/** As a connection does with a line that came. */
function answer(line: string) {
  const message = toMessage(JSON.parse(line));
  if (message === undefined || isRequest(message)) return;
  return "result" in message && message.id === ID ? answerOf(message, line, ID) : undefined;
}

describe("finds the text where it stands alone", () => {
  const result =
    '{"content":[{"type":"text","text":"a \\"quoted\\" } word"}],"n":1.50,"big":12345678901234567890}';

  test.each([
    ["of the SDKs for TypeScript", `{"result":${result},"jsonrpc":"2.0","id":5}`],
    ["of the SDKs for Python", `{"jsonrpc":"2.0","id":5,"result":${result}}`],
    ["with the id first", `{"id":5,"jsonrpc":"2.0","result":${result}}`],
    ["with the id in the middle", `{"result":${result},"id":5,"jsonrpc":"2.0"}`],
    ["with space around", `{"jsonrpc":"2.0","id":5,"result": ${result} }  `],
  ])("in the shape %s", (_name, line) => {
    expect(answer(line)).toEqual({ result: JSON.parse(result), text: result });
  });
});

describe("leaves it to others to write the result", () => {
  test.each([
    ["where the shape is another", '{ "jsonrpc": "2.0", "id": 5, "result": {} }'],
    ["where the envelope has more keys", '{"jsonrpc":"2.0","id":5,"result":{},"extra":{}}'],
    ["where the id comes a second time", '{"jsonrpc":"2.0","id":5,"result":{},"id":5}'],
    [
      "where the result comes a second time",
      '{"jsonrpc":"2.0","id":5,"result":{},"id":9,"id":5,"result":{"a":1}}',
    ],
    [
      "where it comes under another spelling",
      '{"jsonrpc":"2.0","id":5,"result":{},"id":5,"\\u0072esult":{}}',
    ],
    ["where more stands before the tail", '{"result":{},"id":9,"result":{"a":1},"jsonrpc":"2.0","id":5}'],
  ])("%s", (_name, line) => {
    expect(answer(line)).toEqual({ result: JSON.parse(line).result });
  });
});

const KEYS = ['"jsonrpc"', '"id"', '"result"', '"\\u0069d"', '"re\\u0073ult"', '"x"', '"error"'];
const VALUES = ["5", "6", '"2.0"', '"5"', "null", "{}", '{"a":{}}', '{"id":6}', "[{}]", " {} ", '{"t":"}"}'];
const HEADS = ['{"jsonrpc":"2.0","id":5,"result":', '{"id":5,"jsonrpc":"2.0","result":', '{"result":', "{"];
const TAILS = ["}", ',"jsonrpc":"2.0","id":5}', ',"id":5,"jsonrpc":"2.0"}', " } "];

test("no envelope, however odd, smuggles anything in beside its result", () => {
  const value = fc.constantFrom(...VALUES, '{"result":{}}');
  const member = fc.tuple(fc.constantFrom(...KEYS), value).map(([name, of]) => `${name}:${of}`);
  const lines = fc
    .tuple(fc.constantFrom(...HEADS), value, fc.array(member, { maxLength: 5 }), fc.constantFrom(...TAILS))
    .map(
      ([head, first, members, tail]) => head + [head === "{" ? '"id":5' : first, ...members].join() + tail,
    );
  let found = 0;
  fc.assert(
    fc.property(lines, (line) => {
      const known = answer(line);
      if (known?.text === undefined) return;
      found += 1;
      const relayed = JSON.parse(`{"jsonrpc":"2.0","id":"the client's","result":${known.text}}`);
      expect(relayed, line).toEqual({ jsonrpc: "2.0", id: "the client's", result: known.result });
    }),
    { numRuns: 50_000 },
  );
  expect(found).toBeGreaterThan(100);
});

test("the text is the one that the backend wrote", () => {
  fc.assert(
    fc.property(fc.object({ key: fc.string({ unit: "grapheme" }), maxDepth: 3 }), (result) => {
      const json = JSON.stringify(result);
      const known = answer(`{"jsonrpc":"2.0","id":5,"result":${json}}`);
      expect([undefined, json]).toContain(known?.text);
    }),
  );
});
