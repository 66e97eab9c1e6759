// The reasons that a hit is given: they add up, and they name the words, the texts and the server.

import { describe, expect, test } from "bun:test";
import { found, indexOf } from "./catalogues.ts";

describe("explain", () => {
  test("gives the hits of search, in their order and with their scores", () => {
    const index = indexOf();
    const explained = index.explain("show the issues of a github repo", 5);
    expect(explained.map(({ server, tool }) => `${server}.${tool.name}`)).toEqual(
      found(index, "show the issues of a github repo"),
    );
    expect(explained.map(({ score }) => score)).toEqual(
      index.search("show the issues of a github repo", 5).map(({ score }) => score),
    );
  });

  test("takes the score apart so that it can be put together again", () => {
    for (const { score, parts, words } of indexOf().explain("delete the folder /var/x of github", 10)) {
      const { words: own, server, name, phrase, action, standing } = parts;
      expect((own + server) * (1 + name) * (1 + phrase + action) * standing).toBeCloseTo(score, 9);
      expect(words.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(own, 9);
    }
  });

  test("says by which word, in which text and how", () => {
    const [hit] = indexOf().explain("remove file", 1);
    expect(hit?.tool.name).toBe("delete_file");
    const [remove, file] = hit?.words ?? [];
    expect(remove?.matches.map(({ word, how }) => [word, how])).toContainEqual(["delete", "synonym"]);
    expect(file?.matches.map(({ word, how }) => [word, how])).toContainEqual(["file", "same"]);
    expect(Object.keys(file?.matches[0]?.fields ?? {})).toEqual(["name", "description"]);
  });

  test("tells arguments from what is asked", () => {
    const [hit] = indexOf().explain("read file report in /var/quarterly", 1);
    const weights = new Map(hit?.words.map(({ word, weight }) => [word, weight]));
    expect(weights.get("file")).toBe(1);
    expect(
      indexOf()
        .explain("issues of <owner>", 1)[0]
        ?.words.find(({ word }) => word === "owner")?.weight,
    ).toBe(0.5);
  });

  test("shows the server's part", () => {
    const [hit] = indexOf().explain("github issues", 1);
    expect(hit?.server).toBe("github");
    expect(hit?.parts.server).toBeGreaterThan(0);
  });
});
