// The first sentence of a description: where it ends, and what of markdown is dropped.

import { describe, expect, test } from "bun:test";
import { firstSentence } from "../../src/discovery/signature.ts";

describe("the first sentence", () => {
  const cases: [description: string, sentence: string][] = [
    ["Reads a file. Then more.", "Reads a file"],
    ["Reads a file", "Reads a file"],
    ["Reads files, e.g. PDFs, i.e. documents. More.", "Reads files, e.g. PDFs, i.e. documents"],
    ["Reads files etc. The rest is ignored.", "Reads files etc"],
    ["Searches the U.S. registry. More.", "Searches the U.S. registry"],
    ["Talks to version 2.0 of api.example.com. More.", "Talks to version 2.0 of api.example.com"],
    ["Is it there? Says so.", "Is it there?"],
    ["Careful! It deletes.", "Careful!"],
    ["获取网页的内容。返回文本。", "获取网页的内容"],
    ["Line one goes on\nin line two. More.", "Line one goes on in line two"],
    ["Get the price of a stock\nArgs:\n  symbol: the symbol", "Get the price of a stock"],
    [
      "Get the price of a stock, of\nApple for instance. More",
      "Get the price of a stock, of Apple for instance",
    ],
    ["First paragraph\n\nSecond paragraph", "First paragraph"],
    ["# Weather\n\nTells the **weather** of a [place](https://example.com).", "Tells the weather of a place"],
    ["## Only a heading", "Only a heading"],
    ["- one thing\n- another", "one thing"],
    ["Does things:\n- one\n- two", "Does things"],
    ["```\ncode\n```", "code"],
    ["\r\n\r\n  Windows lines.\r\nMore", "Windows lines"],
    ['Says "stop." Then goes.', 'Says "stop."'],
    ["", ""],
    ["...", ""],
  ];
  for (const [description, sentence] of cases) {
    test(JSON.stringify(description), () => expect(firstSentence(description)).toBe(sentence));
  }

  test("is nothing where there is no text", () => {
    expect(firstSentence(undefined)).toBe("");
    const odd: unknown = { text: "no string" };
    expect(firstSentence(odd as string)).toBe("");
  });

  test("ends after a line's length, between words", () => {
    const sentence = firstSentence("word ".repeat(200));
    expect(sentence.length).toBeLessThanOrEqual(151);
    expect(sentence).toEndWith(" word…");
    expect(firstSentence("x".repeat(5_000))).toBe(`${"x".repeat(150)}…`);
  });
});
