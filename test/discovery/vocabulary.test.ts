// The words of the corpus: their numbers, their forms, what is spelt like them, and that they can be forgotten.

import { describe, expect, test } from "bun:test";
import { Vocabulary } from "../../src/discovery/vocabulary.ts";

function vocabularyOf(text: string): Vocabulary {
  const vocabulary = new Vocabulary();
  vocabulary.addText(text);
  return vocabulary;
}

function similar(vocabulary: Vocabulary, word: string): string[] {
  return vocabulary.similar(word).map(({ id }) => vocabulary.wordOf(id));
}

describe("a vocabulary", () => {
  test("numbers each word once, in the order of the text", () => {
    const vocabulary = new Vocabulary();
    expect(vocabulary.addText("read files, read a file")).toEqual([0, 1, 0, 2, 1]);
    expect(vocabulary.wordOf(1)).toBe("file");
    expect(vocabulary.idOf("file")).toBe(1);
    expect(vocabulary.idOf("files")).toBeUndefined();
  });

  test("finds the forms of a word by what they share", () => {
    const vocabulary = vocabularyOf("deploy deployed deployment depot");
    expect(vocabulary.withStem("deploy").map((id) => vocabulary.wordOf(id))).toEqual([
      "deploy",
      "deployed",
      "deployment",
    ]);
  });

  test("finds typos, short forms and parts of compounds, the likest first", () => {
    const vocabulary = vocabularyOf("repository report functionapp weather");
    expect(similar(vocabulary, "repositry")[0]).toBe("repository");
    expect(similar(vocabulary, "repo")).toContain("repository");
    expect(similar(vocabulary, "function")).toEqual(["functionapp"]);
    expect(similar(vocabulary, "wether")).toEqual(["weather"]);
    expect(similar(vocabulary, "xylophone")).toEqual([]);
  });

  test("takes no stop word and no number for another word", () => {
    const vocabulary = vocabularyOf("for not 2024");
    expect(similar(vocabulary, "forecast")).toEqual([]);
    expect(similar(vocabulary, "2025")).toEqual([]);
  });

  test("forgets: the word is found no more, and its number serves another", () => {
    const vocabulary = vocabularyOf("weather repository");
    vocabulary.forget(0);
    expect(vocabulary.idOf("weather")).toBeUndefined();
    expect(similar(vocabulary, "wether")).toEqual([]);
    expect(vocabulary.withStem("weather")).toEqual([]);
    expect(vocabulary.addText("forecast of the weather")[0]).toBe(0);
    expect(vocabulary.wordOf(0)).toBe("forecast");
    expect(similar(vocabulary, "wether")).toEqual(["weather"]);
  });
});
