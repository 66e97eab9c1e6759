// What a model reads of a result, whatever a server has put there.

import { expect, test } from "bun:test";
import { readableText } from "../../src/target/readable-text.ts";

test("an embedded resource whose address is no text is its text alone", () => {
  const block = (uri: unknown) => ({ type: "resource", resource: { uri, text: "hello" } });
  const content = [block("test://a"), block({ toString: null }), block(undefined)];
  expect(readableText({ content })).toEqual({ text: "test://a:\nhello\nhello\nhello", others: [] });
});
