// How text is cut into words.

import { describe, expect, test } from "bun:test";
import { partsOf, singular, stem, words } from "../../src/discovery/words.ts";

describe("words", () => {
  const cases: [text: string, words: string[]][] = [
    ["list_issues", ["list", "issue"]],
    ["list-issues.all/here", ["list", "issue", "all", "here"]],
    ["getUserProfile", ["getuserprofile", "get", "user", "profile"]],
    ["HTTPServer", ["httpserver", "http", "server"]],
    ["PDFs and IDs", ["pdf", "and", "id"]],
    ["MySQL", ["mysql", "my", "sql"]],
    ["base64 utf8 9to5mac", ["base64", "utf8", "9to5mac"]],
    ["Café naïve", ["cafe", "naive"]],
    ["ｆｕｌｌ", ["full"]],
    ["搜索网页", ["搜索", "索网", "网页"]],
    ["网", ["网"]],
    ["bing搜索API", ["bing", "搜索", "api"]],
    ["aVeryLongNameWithParts", ["a", "very", "long", "name", "with", "part"]],
    [`key-${"f".repeat(41)}`, ["key"]],
    ["", []],
    ["—…!?", []],
  ];
  for (const [text, expected] of cases)
    test(JSON.stringify(text), () => expect(words(text)).toEqual(expected));

  test("leave compounds in parts where only parts are asked for", () => {
    expect(partsOf("getMySQLStatus of users")).toEqual(["get", "my", "sql", "status", "of", "user"]);
  });
});

test("plurals become singulars, and what only looks like one stays", () => {
  const pairs: [string, string][] = [
    ["files", "file"],
    ["queries", "query"],
    ["branches", "branch"],
    ["addresses", "address"],
    ["boxes", "box"],
    ["status", "status"],
    ["analysis", "analysis"],
    ["news", "news"],
    ["access", "access"],
    ["gas", "gas"],
  ];
  for (const [plural, expected] of pairs) expect(singular(plural)).toBe(expected);
});

test("forms of a word share their stem", () => {
  expect(stem("searching")).toBe(stem("search"));
  expect(stem("calculation")).toBe(stem("calculate"));
  expect(stem("36kr")).toBe("36kr");
  expect(stem("搜索")).toBe("搜索");
});
