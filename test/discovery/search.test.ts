// What search finds and in which order, by the kinds of words that people and models use.

import { describe, expect, test } from "bun:test";
import { SearchIndex } from "../../src/discovery/search.ts";
import { ALL, FILES, found, GITHUB, indexOf, TRACKER, tool, WEATHER } from "./catalogues.ts";

describe("search finds first, whatever words are used,", () => {
  const cases: [query: string, first: string][] = [
    ["read_file", "files.read_file"],
    ["read file", "files.read_file"],
    ["readFile", "files.read_file"],
    ["READ FILES", "files.read_file"],
    ["search repositories", "github.searchRepositories"],
    ["search repo", "github.searchRepositories"],
    ["searching for a repository", "github.searchRepositories"],
    ["open a PR", "github.create_pull_request"],
    ["create merge request or pull request", "github.create_pull_request"],
    ["remove file", "files.delete_file"],
    ["rename a document", "files.move_file"],
    ["what is in this folder", "files.list_directory"],
    ["show me everything that a folder contains", "files.list_directory"],
    ["will it rain tomorrow, what is the temperature", "weather.forecast"],
    ["mysql", "weather.getMySQLStatus"],
    ["MySQL", "weather.getMySQLStatus"],
    ["delte file", "files.delete_file"],
    ["forcast", "weather.forecast"],
    ["search repositorys", "github.searchRepositories"],
    ["save this text to /home/me/notes/today.md", "files.write_file"],
    ["latitude", "weather.forecast"],
  ];
  for (const [query, first] of cases) {
    test(query, () => expect(found(indexOf(), query, 1)).toEqual([first]));
  }
});

describe("a server", () => {
  test("that the query names is preferred", () => {
    expect(found(indexOf(), "github issues", 1)).toEqual(["github.list_issues"]);
    expect(found(indexOf(), "tracker issues", 1)).toEqual(["tracker.list_issues"]);
  });

  test("named alone offers its tools although their texts do not name it", () => {
    const names = found(indexOf([FILES, TRACKER, WEATHER]), "weather", 5);
    expect(names).toContain("weather.getMySQLStatus");
  });

  test("is replaced by an update, and its old tools are gone", () => {
    const index = indexOf();
    index.update({ name: "files", tools: [tool("shred", "Destroy a file for good")] });
    expect(found(index, "file", 10).filter((name) => name.startsWith("files."))).toEqual(["files.shred"]);
    expect(found(index, "directory", 10)).not.toContain("files.list_directory");
  });

  test("is forgotten when it is removed", () => {
    const index = indexOf();
    index.remove("weather");
    index.remove("never there");
    expect(found(index, "forecast", 10)).toEqual([]);
    expect(found(index, "read file", 1)).toEqual(["files.read_file"]);
  });
});

describe("the order", () => {
  const queries = ["issues", "file", "list", "repository contents", "github", "create comment"];
  const answers = (index: SearchIndex) =>
    queries.map((query) =>
      index.search(query, 10).map(({ server, tool: { name }, score }) => [server, name, score]),
    );

  test("does not depend on the order in which servers came", () => {
    expect(answers(indexOf([...ALL].reverse()))).toEqual(answers(indexOf()));
  });

  test("does not depend on what was there before", () => {
    const index = indexOf([TRACKER, FILES]);
    index.update({
      name: "github",
      tools: [tool("noise", "Something else entirely, with issues and files")],
    });
    index.remove("tracker");
    index.update(WEATHER);
    index.update(GITHUB);
    index.update(TRACKER);
    index.update(FILES);
    expect(answers(index)).toEqual(answers(indexOf()));
  });

  test("of equals is that of their names", () => {
    const twin = (name: string) => ({ name, tools: [tool("ping", "Ping it"), tool("pong", "Ping it")] });
    const expected = ["a.ping", "b.ping", "a.pong", "b.pong"];
    expect(found(indexOf([twin("b"), twin("a")]), "ping", 10)).toEqual(expected);
  });

  test("has the exact word before its synonyms, and the fitting verb before its opposite", () => {
    expect(found(indexOf(), "delete file", 2)[0]).toBe("files.delete_file");
    const cache = { name: "s", tools: [tool("cache_list", "The cache"), tool("cache_purge", "The cache")] };
    expect(found(indexOf([cache]), "erase the cache", 1)).toEqual(["s.cache_purge"]);
  });
});

describe("an answer", () => {
  test("is empty without words, without tools and without room", () => {
    expect(found(indexOf(), "")).toEqual([]);
    expect(found(indexOf(), " ?! \n… ")).toEqual([]);
    expect(found(new SearchIndex(), "read file")).toEqual([]);
    expect(found(indexOf(), "file", 0)).toEqual([]);
    expect(found(indexOf(), "file", Number.NaN)).toEqual([]);
  });

  test("has at most as many hits as asked for, the best of them", () => {
    const all = found(indexOf(), "file", 100);
    expect(all.length).toBeGreaterThan(3);
    expect(found(indexOf(), "file", 3)).toEqual(all.slice(0, 3));
  });

  test("has words that are all stop words, where nothing else is asked", () => {
    const index = indexOf([{ name: "s", tools: [tool("who", "Shows who is there"), tool("ls", "Lists")] }]);
    expect(found(index, "who", 1)).toEqual(["s.who"]);
  });

  test("carries the tool as it was given", () => {
    expect(indexOf().search("read file", 1)[0]?.tool).toBe(FILES.tools[0]);
  });

  test("names each tool once, however often the server lists it", () => {
    const index = indexOf([{ name: "s", tools: [tool("ping", "Ping"), tool("ping", "Ping again")] }]);
    expect(found(index, "ping", 10)).toEqual(["s.ping"]);
  });
});

describe("other languages", () => {
  const index = indexOf([
    {
      name: "中文",
      tools: [tool("bing_search", "使用必应搜索指定的关键词"), tool("fetch_webpage", "获取对应网页的内容")],
    },
    { name: "café", tools: [tool("menü", "Zeigt die Speisekarte an"), tool("öffnen", "Öffnet die Tür")] },
    { name: "погода", tools: [tool("прогноз", "Прогноз погоды на завтра")] },
    { name: "天気", tools: [tool("tenki", "明日の天気予報を調べる")] },
    { name: "날씨", tools: [tool("nalssi", "내일의 날씨를 알려줍니다")] },
  ]);
  const cases: [query: string, first: string][] = [
    ["获取网页", "中文.fetch_webpage"],
    ["搜索", "中文.bing_search"],
    ["Speisekarte", "café.menü"],
    ["cafe menu", "café.menü"],
    ["tur offnen", "café.öffnen"],
    ["прогноз погоды", "погода.прогноз"],
    ["天気予報", "天気.tenki"],
    ["날씨", "날씨.nalssi"],
  ];
  for (const [query, first] of cases) test(query, () => expect(found(index, query, 1)).toEqual([first]));
});

test("a huge query and a huge catalogue are read as far as they help", () => {
  const flood = "lorem ipsum dolor ".repeat(50_000);
  const index = indexOf([
    ...ALL,
    { name: "flood", description: flood, tools: [tool("flood", flood, { [flood]: { description: flood } })] },
  ]);
  const startedMs = performance.now();
  expect(found(index, `read file ${flood}`, 5)).toContain("files.read_file");
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test("what a tool is not for does not find it", () => {
  const index = indexOf([
    {
      name: "s",
      tools: [
        tool("a", "Shows keys. It does not show certificates"),
        tool("b", "Shows keys. Never certificates"),
        tool("c", "Shows keys. Then shows certificates"),
      ],
    },
  ]);
  expect(found(index, "certificates", 1)).toEqual(["s.c"]);
});
