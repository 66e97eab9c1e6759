// The printed JSON Schema, and README's table from the same source.

import { describe, expect, test } from "bun:test";
import { keyTable, withKeyTable } from "../../scripts/readme-keys.ts";
import { BackendSchema, ConfigSchema, jsonSchema } from "../../src/config/schema.ts";

describe("the JSON Schema", () => {
  const schema = jsonSchema();

  test("names every key, with its words", () => {
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      properties: {
        port: {
          type: "integer",
          minimum: 1,
          maximum: 65535,
          default: 39400,
          description: "Port to listen on.",
        },
        idle_timeout: { default: 300, anyOf: [{ type: "number", minimum: 0 }, { type: "string" }] },
        backends: { type: "object", additionalProperties: false },
        mcpServers: { type: "object" },
      },
    });
    const described = [...Object.values(ConfigSchema.properties), ...Object.values(BackendSchema.properties)];
    expect(described.filter((property) => !property.description).map((property) => property.type)).toEqual([
      "object", // auth: its keys say it
      "object", // tools: the same
    ]);
  });

  test("is plain JSON without our own hints", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(JSON.stringify(schema)).not.toContain('"hints"');
  });

  test("requires no key", () => {
    expect(JSON.stringify(schema)).not.toContain('"required"');
  });
});

describe("README's table of keys", () => {
  const lines = keyTable().split("\n");

  test("has a row for each key, with aliases and defaults", () => {
    expect(lines.slice(0, 2)).toEqual(["| Key | Default | Meaning |", "|---|---|---|"]);
    expect(lines).toContain("| `port` | `39400` | Port to listen on. |");
    expect(lines).toContain(
      "| `backends` (also `servers`, `mcpServers`) |  | The MCP servers behind the gateway, by name. |",
    );
    const keys = lines.slice(2).map((line) => /^\| `([^`]+)`/.exec(line)?.[1]);
    expect(keys).toEqual([
      ...["$schema", "host", "port", "enable_meta_mcp", "pinned", "max_result_tokens", "log_level"],
      ...["public_url", "allowed_hosts", "allowed_origins"],
      ...[
        "request_timeout",
        "start_timeout",
        "question_timeout",
        "idle_timeout",
        "prewarm",
        "memory_limit",
        "backends",
      ],
      ...["auth.token", "auth.disabled", "auth.session_key"],
      ...["command", "args", "http_url", "transport", "protocol", "description", "env", "headers", "cwd"].map(
        (key) => `backends.<name>.${key}`,
      ),
      ...["idle_timeout", "request_timeout", "start_timeout", "question_timeout"].map(
        (key) => `backends.<name>.${key}`,
      ),
      ...["warm", "keep_alive", "keep_detached", "scope", "max_instances", "max_concurrency", "enabled"].map(
        (key) => `backends.<name>.${key}`,
      ),
      ...["allow", "deny", "rename", "describe"].map((key) => `backends.<name>.tools.${key}`),
    ]);
  });

  test("replaces what stands between the markers, and only that", () => {
    const fresh = withKeyTable("# A\n<!-- keys:start -->\nstale\n<!-- keys:end -->\nafter\n");
    expect(fresh).toBe(`# A\n<!-- keys:start -->\n${keyTable()}\n<!-- keys:end -->\nafter\n`);
    expect(withKeyTable(fresh)).toBe(fresh);
  });

  test("needs both markers", () => {
    expect(() => withKeyTable("# A\n<!-- keys:start -->\n")).toThrow("README.md needs the markers");
  });
});
