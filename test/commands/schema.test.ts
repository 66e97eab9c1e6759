// `schema`: the JSON Schema of the configuration file, on stdout, for editors.

import { expect, setDefaultTimeout, test } from "bun:test";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv-provider.js";
import { jsonSchema } from "../../src/config/schema.ts";
import { runToEnd } from "../support/run-gateway.ts";

setDefaultTimeout(30_000);

test("prints the schema that the configuration is checked with, and another validator takes it", async () => {
  const { exitCode, stdout, stderr } = await runToEnd(["schema"]);
  expect([exitCode, stderr]).toEqual([0, ""]);
  const schema = JSON.parse(stdout);
  expect(schema).toEqual(jsonSchema());
  const isValid = new AjvJsonSchemaValidator().getValidator(schema);
  expect(
    isValid({ port: 39400, backends: { one: { command: "npx -y some-server", idle_timeout: "5m" } } }).valid,
  ).toBe(true);
  expect(isValid({ mcpServers: { one: { type: "http", url: "https://example.com/mcp" } } }).valid).toBe(true);
  expect(isValid({ port: "39400" }).valid).toBe(false);
  expect(isValid({ backends: { one: { comand: "x" } } }).valid).toBe(false);
});
