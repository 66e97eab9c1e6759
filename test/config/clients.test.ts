// Files as other programs write them work as they are: Claude, Cursor, VS Code; JSON, with comments or without.

import { describe, expect, test } from "bun:test";
import { complaints, load } from "./written.ts";

describe("a file of", () => {
  test("Claude Desktop", () => {
    const { backends, notes } = load(
      `{
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/Users/me/My Documents"]
    },
    "windows": { "command": "C:\\\\Program Files\\\\nodejs\\\\node.exe", "args": ["C:\\\\x\\\\y.js"], "env": {} }
  },
  "globalShortcut": "Ctrl+Space",
  "preferences": { "coworkScheduledTasksEnabled": false }
}
`,
      { name: "claude_desktop_config.json", platform: "win32" },
    );
    expect(backends.map(({ name, wire }) => [name, wire])).toEqual([
      [
        "filesystem",
        {
          kind: "stdio",
          argv: ["npx", "-y", "@modelcontextprotocol/server-filesystem", "/Users/me/My Documents"],
          env: {},
        },
      ],
      ["windows", { kind: "stdio", argv: ["C:\\Program Files\\nodejs\\node.exe", "C:\\x\\y.js"], env: {} }],
    ]);
    expect(notes).toEqual([
      "claude_desktop_config.json:9: globalShortcut has no effect: it is a setting of another program",
      "claude_desktop_config.json:10: preferences has no effect: it is a setting of another program",
    ]);
  });

  test("Claude Code", () => {
    const { backends, notes } = load(
      `{"mcpServers":{
        "api":{"type":"http","url":"\${API_BASE:-https://api.example.com}/mcp","headers":{"Authorization":"Bearer \${API_KEY}"}},
        "events":{"type":"sse","url":"https://events.example.com/sse"},
        "local":{"type":"stdio","command":"/opt/server","args":["--config","\${HOME}/x"],"env":{"CACHE_DIR":"/tmp"},"timeout":600000}
      }}`,
      { name: ".mcp.json", env: { API_KEY: "claude-code-key", HOME: "/home/me" } },
    );
    expect(backends.map(({ wire, problem }) => [wire, problem])).toEqual([
      [
        {
          kind: "url",
          url: "https://api.example.com/mcp",
          transport: "http",
          headers: { Authorization: "Bearer claude-code-key" },
        },
        undefined,
      ],
      [{ kind: "url", url: "https://events.example.com/sse", transport: "sse", headers: {} }, undefined],
      [
        { kind: "stdio", argv: ["/opt/server", "--config", "/home/me/x"], env: { CACHE_DIR: "/tmp" } },
        undefined,
      ],
    ]);
    expect(notes).toEqual([
      ".mcp.json:4: mcpServers.local.timeout has no effect: clients count it in different units; set request_timeout",
    ]);
  });

  test("Cursor", () => {
    const { backends } = load(
      `{
	"mcpServers": {
		"db": {
			"command": "uvx",
			"args": ["db-mcp"],
			"env": { "DB_KEY": "\${env:DB_KEY}" },
			"disabled": true,
			"autoApprove": []
		}
	}
}`,
      { name: "mcp.json", env: { DB_KEY: "cursor-key" } },
    );
    expect(backends).toMatchObject([{ name: "db", enabled: false, wire: { env: { DB_KEY: "cursor-key" } } }]);
  });

  test("VS Code, with comments, trailing commas and prompts", () => {
    const { backends, notes } = load(
      `// My servers
{
	/* asked for
	   once */
	"inputs": [{ "type": "promptString", "id": "key", "description": "Key", "password": true }],
	"servers": {
		"github": { "type": "http", "url": "https://api.githubcopilot.com/mcp/" }, // remote
		"asks": {
			"type": "stdio",
			"command": "npx",
			"args": ["-y", "x", "http://localhost//a", "/* kept */", "// kept"],
			"env": { "KEY": "\${input:key}" },
		},
	},
}
`,
      { name: "mcp.json" },
    );
    expect(backends[0]?.wire).toEqual({
      kind: "url",
      url: "https://api.githubcopilot.com/mcp/",
      transport: "http",
      headers: {},
    });
    expect(backends[1]?.wire).toMatchObject({
      argv: ["npx", "-y", "x", "http://localhost//a", "/* kept */", "// kept"],
    });
    expect(backends[1]?.problem).toBe(
      `servers.asks.env.KEY (mcp.json:12) has a "\${…}" that names no environment variable; ` +
        `write \${NAME} for a variable and $$ for a plain "$"`,
    );
    expect(notes).toEqual(["mcp.json:5: inputs has no effect: it is a setting of another program"]);
  });
});

describe("a slip in such a file", () => {
  test("keeps its place behind comments", () => {
    const content = '{\n  // a comment\n  "servers": { /* b */ "x": { "comand": "y" } }\n}';
    expect(complaints(content, { name: "mcp.json" })).toEqual([
      'mcp.json:3:31: unknown key "comand" in servers.x; did you mean "command"?',
    ]);
  });

  test("is an error where the key looks like one of ours", () => {
    expect(complaints('{"mcpServers": {}, "prot": 1}')).toEqual([
      'servers.yaml:1:20: unknown key "prot" at the top level; did you mean "port"?',
    ]);
  });

  test("is not excused where the file is no client's", () => {
    expect(complaints("backends: {}\npreferences: {}")).toHaveLength(1);
  });
});

describe("a file of ours", () => {
  test.each([
    ["YAML in braces", "{backends: {a: {url: http://x//y}}}"],
    ["JSON", '{"backends":{"a":{"url":"http:\\/\\/x//y"}}}'],
    ["a byte order mark", '\uFEFF{"backends":{"a":{"url":"http://x//y"}}}'],
    ["UTF-16", Buffer.from("\uFEFFbackends:\r\n  a:\r\n    url: http://x//y\r\n", "utf16le")],
    ["an editor's schema", "$schema: ./schema.json\nbackends:\n  a:\n    url: http://x//y"],
    ["anchors", "x-a: &a {url: http://x//y}\nbackends:\n  a: *a"],
    ["merges", "x-a: &a {url: http://z}\nx-b: &b {url: http://x//y}\nbackends:\n  a: {<<: [*b, *a]}"],
    ["YAML 1.1", "%YAML 1.1\n---\nbackends:\n  a:\n    url: http://x//y"],
  ])("may be %s", (_, content) => {
    expect(load(content)).toMatchObject({
      backends: [{ name: "a", wire: { url: "http://x//y" } }],
      notes: [],
    });
  });
});
