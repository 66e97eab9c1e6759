// Which tools are offered for a name that no tool has.

import { describe, expect, test } from "bun:test";
import { indexOf } from "./catalogues.ts";

function near(server: string | undefined, name: string, limit = 3): string[] {
  return indexOf()
    .nearest(server, name, limit)
    .map((hit) => `${hit.server}.${hit.tool.name}`);
}

describe("the nearest tool", () => {
  const cases: [server: string | undefined, name: string, nearest: string][] = [
    ["github", "list_isues", "github.list_issues"],
    ["tracker", "list_isues", "tracker.list_issues"],
    ["github", "listIssues", "github.list_issues"],
    ["gihtub", "list_issues", "github.list_issues"],
    ["files", "searchRepositories", "github.searchRepositories"],
    [undefined, "readfile", "files.read_file"],
    [undefined, "github__create_pull_request", "github.create_pull_request"],
    [undefined, "github.create_pullrequest", "github.create_pull_request"],
    ["files", "remove_document", "files.delete_file"],
    [undefined, "create_pr", "github.create_pull_request"],
  ];
  for (const [server, name, expected] of cases) {
    test(`to ${server ?? ""} ${name}`, () => expect(near(server, name, 1)).toEqual([expected]));
  }
});

test("nothing is near to nonsense, and nothing is given where nothing is asked for", () => {
  expect(near(undefined, "qqqqqqqqqqqqqqqqqqqqqq")).toEqual([]);
  expect(near("files", "read_file", 0)).toEqual([]);
  expect(near(undefined, "")).toEqual([]);
});
