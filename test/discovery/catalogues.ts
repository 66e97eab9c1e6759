// Small catalogues to search in, such as real servers have.

import { SearchIndex, type ServerDoc, type ToolDoc } from "../../src/discovery/search.ts";

export function tool(name: string, description: string, properties: Record<string, unknown> = {}): ToolDoc {
  return { name, description, inputSchema: { type: "object", properties } };
}

export const FILES: ServerDoc = {
  name: "files",
  description: "Works with files on this machine",
  tools: [
    tool("read_file", "Read the complete contents of a file", { path: { type: "string" } }),
    tool("write_file", "Create a new file or overwrite an existing one", { path: {}, content: {} }),
    tool("list_directory", "Get a detailed listing of all entries in a directory", { path: {} }),
    tool("delete_file", "Delete a file. This cannot be undone", { path: {} }),
    tool("move_file", "Move or rename files and directories", { source: {}, destination: {} }),
  ],
};

export const GITHUB: ServerDoc = {
  name: "github",
  description: "GitHub repositories, issues and pull requests",
  tools: [
    tool("list_issues", "List the issues of a repository", { owner: {}, repo: {} }),
    tool("create_pull_request", "Open a new pull request", { title: {}, head: {}, base: {} }),
    tool("searchRepositories", "Search for repositories", { query: {} }),
    tool("get_file_contents", "Get the contents of a file in a repository", { path: {} }),
  ],
};

export const TRACKER: ServerDoc = {
  name: "tracker",
  description: "The bug tracker of the company",
  tools: [
    tool("list_issues", "List the issues of a project", { project: {} }),
    tool("add_comment", "Comment on an issue", { issue: {}, text: {} }),
  ],
};

export const WEATHER: ServerDoc = {
  name: "weather",
  tools: [
    tool("forecast", "Weather forecast for a place", { latitude: {}, longitude: {} }),
    tool("getMySQLStatus", "Whether the database of measurements is up"),
  ],
};

export const ALL: readonly ServerDoc[] = [FILES, GITHUB, TRACKER, WEATHER];

export function indexOf(servers: readonly ServerDoc[] = ALL): SearchIndex {
  const index = new SearchIndex();
  for (const server of servers) index.update(server);
  return index;
}

/** `server.tool` of each hit. */
export function found(index: SearchIndex, query: string, limit = 5): string[] {
  return index.search(query, limit).map(({ server, tool: hit }) => `${server}.${hit.name}`);
}
