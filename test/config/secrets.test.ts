// Which values the log hides once a configuration has been read. Secrets are global: each test has its own.

import { describe, expect, test } from "bun:test";
import { redact } from "../../src/log.ts";
import { load } from "./written.ts";

describe("is hidden", () => {
  test.each([
    ["a token", "auth: {token: literal-gate-01}", "literal-gate-01"],
    ["a token from a variable", "auth: {token: $GATE}", "variable-gate-02"],
    ["a token of the environment", "port: 1", "environment-gate-03"],
    ["a session key", "auth: {session_key: literal-session-key-01}", "literal-session-key-01"],
    ["a key in env", "backends: {a: {command: x, env: {MY_API_KEY: literal-env-04}}}", "literal-env-04"],
    [
      "a password in env",
      "backends: {a: {command: x, env: {db_password: literal-env-05}}}",
      "literal-env-05",
    ],
    ["a key from a variable", "backends: {a: {command: x, env: {PLAIN: $SOME_KEY}}}", "variable-env-06"],
    ["a key in part of a text", "backends: {a: {command: x, env: {KEY: a-$PART}}}", "a-variable-part-07"],
    ["a key among the arguments", "backends: {a: {command: x --k $ARG_TOKEN}}", "variable-arg-08"],
    [
      "a header",
      "backends: {a: {url: 'http://x', headers: {Authorization: literal-head-09}}}",
      "literal-head-09",
    ],
    [
      "the token behind Bearer",
      "backends: {a: {url: 'http://x', headers: {Authorization: Bearer head-10-b}}}",
      "head-10-b",
    ],
    ["a cookie", "backends: {a: {url: 'http://x', headers: {Cookie: a=literal-11}}}", "a=literal-11"],
    [
      "a header of another name",
      "backends: {a: {url: 'http://x', headers: {X-Api-Key: literal-12}}}",
      "literal-12",
    ],
    ["a key in a URL", "backends: {a: {url: 'http://x/?apiKey=literal-13'}}", "literal-13"],
    ["a password in a URL", "backends: {a: {url: 'http://me:literal-14@x/'}}", "literal-14"],
    [
      "a password that is no good escape",
      "backends: {a: {url: 'http://me:%zz-literal-16@x/'}}",
      "%zz-literal-16",
    ],
    [
      "the key of a backend left out",
      "backends: {a: {command: x, enabled: false, env: {KEY: literal-15}}}",
      "literal-15",
    ],
  ])("%s", (_, content, secret) => {
    expect(redact(`seen: ${secret}.`)).toBe(`seen: ${secret}.`);
    load(content, {
      env: {
        GATE: "variable-gate-02",
        MCP_GATEWAY_TOKEN: "environment-gate-03",
        SOME_KEY: "variable-env-06",
        PART: "variable-part-07",
        ARG_TOKEN: "variable-arg-08",
      },
    });
    expect(redact(`seen: ${secret}.`)).toBe("seen: ***.");
  });
});

describe("is not hidden", () => {
  test.each([
    [
      "an ordinary variable of env",
      "backends: {a: {command: x, env: {LANGUAGE: ordinary-21}}}",
      "ordinary-21",
    ],
    ["an ordinary header", "backends: {a: {url: 'http://x', headers: {Accept: ordinary-22}}}", "ordinary-22"],
    ["an ordinary variable", "backends: {a: {command: x, env: {DIR: $HOME}}}", "/home/ordinary-23"],
    ["a variable that is not set", `backends: {a: {command: x, env: {KEY: "\${NONE_24}"}}}`, `\${NONE_24}`],
  ])("%s", (_, content, value) => {
    load(content, { env: { HOME: "/home/ordinary-23" } });
    expect(redact(`seen: ${value}.`)).toBe(`seen: ${value}.`);
  });
});
