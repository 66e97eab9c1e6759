// Which values are redacted once a configuration has been read, and which are not. Secrets are global: each test has its own.

import { describe, expect, test } from "bun:test";
import { redact } from "../../src/shown.ts";
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
    ...["PAT", "DB_PWD", "JWT", "CREDS", "PGPASSWORD", "clientSecret", "GH_TOKEN", "STRIPE_KEY"].map(
      (name, index): [string, string, string] => [
        `a value of env named ${name}`,
        `backends: {a: {command: x, env: {${name}: named-${30 + index}-value}}}`,
        `named-${30 + index}-value`,
      ],
    ),
    [
      "a random value of any name",
      "backends: {a: {command: x, env: {TENANT: q7Rt2Lx9Kv4Mz1Wp}}}",
      "q7Rt2Lx9Kv4Mz1Wp",
    ],
    [
      "a random header of any name",
      "backends: {a: {url: 'http://x', headers: {X-A: 3f9a1c0b2d4e5f60718293}}}",
      "3f9a1c0b2d4e5f60718293",
    ],
    [
      "an option's value",
      "backends: {a: {command: x, args: [--api-key, option-value-41]}}",
      "option-value-41",
    ],
    ["an option with its value", "backends: {a: {command: x --token=option-value-42}}", "option-value-42"],
    [
      "a header among the arguments",
      "backends: {a: {command: x, args: [--header, 'Authorization: Bearer argument-43']}}",
      "argument-43",
    ],
    [
      "a variable of a container",
      "backends: {a: {command: docker run -e DB_PASSWORD=container-44 img}}",
      "container-44",
    ],
    [
      "a random argument",
      "backends: {a: {command: x, args: [p0Lq8Rt2Lx9Kv4Mz1Wp45]}}",
      "p0Lq8Rt2Lx9Kv4Mz1Wp45",
    ],
    [
      "a random part of a URL's path",
      "backends: {a: {url: 'https://h/services/T01/Zx81Qw72Er63Ty54'}}",
      "Zx81Qw72Er63Ty54",
    ],
    [
      "a UUID in a URL's path",
      "backends: {a: {url: 'https://h/5f0c1e2d-9b8a-4c7d-8e6f-0a1b2c3d4e5f/mcp'}}",
      "5f0c1e2d-9b8a-4c7d-8e6f-0a1b2c3d4e5f",
    ],
    [
      "a random value of a URL's query",
      "backends: {a: {url: 'https://h/?x=Ab12Cd34Ef56Gh78'}}",
      "Ab12Cd34Ef56Gh78",
    ],
    [
      "the password of a database",
      "backends: {a: {command: x, env: {DATABASE_URL: 'postgres://u:literal-46@db/x'}}}",
      "literal-46",
    ],
    [
      "the password of a connection string",
      "backends: {a: {command: x, env: {CONN: 'Server=db;Password=literal-47;'}}}",
      "literal-47",
    ],
    [
      "the key of a web hook",
      "backends: {a: {command: x, env: {HOOK: 'https://hooks.example.com/s/Mn12Bv34Cx56Za78'}}}",
      "Mn12Bv34Cx56Za78",
    ],
    [
      "the default of a variable",
      "backends: {a: {command: x, args: ['${API_TOKEN:-default-50}']}}",
      "default-50",
    ],
    [
      "a credential in JSON",
      `backends: {a: {command: x, env: {HEADERS: '{"Authorization":"Bearer ntn-48-x","V":"2022-06-28"}'}}}`,
      "ntn-48-x",
    ],
    [
      "a line of a private key",
      'backends: {a: {command: x, env: {TLS_PRIVATE_KEY: "-----BEGIN KEY-----\\nMIIBfirst49line0\\n-----END KEY-----"}}}',
      "MIIBfirst49line0",
    ],
    [
      "the key of a backend left out",
      "backends: {a: {command: x, enabled: false, env: {KEY: literal-15}}}",
      "literal-15",
    ],
    [
      "a part of a path that reads almost like words",
      "backends: {a: {url: 'https://h.example.com/Zq168x7cee03fed973Wk/mcp'}}",
      "Zq168x7cee03fed973Wk",
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
    [
      "an ordinary word named as a key",
      "backends: {a: {command: x, env: {SORT_KEY: customer}}}",
      "get_customer",
    ],
    [
      "an ordinary word named as a password",
      "backends: {a: {command: x, env: {PASSWORD: customer}}}",
      "customer",
    ],
    ["true", "backends: {a: {command: x, env: {AUTH_TOKEN: 'true'}}}", "AUTH_TOKEN=true"],
    ["a number", "backends: {a: {command: x, env: {MAX_TOKENS: 100000, PORT: 80}}}", "100000 of 80"],
    ["a budget", "backends: {a: {command: x, env: {TOKEN_BUDGET: '87654321'}}}", "87654321"],
    ["a limit", "backends: {a: {command: x, env: {TOKEN_LIMIT: '12345678'}}}", "12345678"],
    ["a path", "backends: {a: {command: x, env: {TOKEN_FILE: /run/secrets/a1b2}}}", "/run/secrets/a1b2"],
    ["a path behind a key", "backends: {a: {command: x --key /etc/ssl/a1.pem}}", "/etc/ssl/a1.pem"],
    ["a package", "backends: {a: {command: npx -y @playwright/mcp@0.0.41}}", "@playwright/mcp@0.0.41"],
    [
      "a model",
      "backends: {a: {command: x, env: {MODEL: claude-3-5-sonnet-20241022}}}",
      "claude-3-5-sonnet-20241022",
    ],
    ["a region", "backends: {a: {command: x --region eu-central-1}}", "eu-central-1"],
    ["a time", "backends: {a: {command: x, env: {SINCE: '2026-11-30T15:43:45Z'}}}", "2026-11-30T15:43:45Z"],
    [
      "a digest of an image",
      "backends: {a: {command: docker run node@sha256:9c1a7e0b5d4f2a607182934d9c1a7e0b5d4f2a60718293aabbccddeeff001122}}",
      "sha256:9c1a7e0b5d4f2a607182934d9c1a7e0b5d4f2a60718293aabbccddeeff001122",
    ],
    [
      "the words of a URL",
      "backends: {a: {url: 'https://h.example.com/v2/mcp-server2/sse'}}",
      "/v2/mcp-server2/sse",
    ],
    [
      "the long words of a URL",
      "backends: {a: {url: 'https://h.example.com/MyCompanyProduction2/20261130/server1-of-region2'}}",
      "/MyCompanyProduction2/20261130/server1-of-region2",
    ],
    [
      "a long name",
      "backends: {a: {command: x, args: [MyCompanyProductionDatabase2]}}",
      "MyCompanyProductionDatabase2",
    ],
    ["a program", "backends: {a: {command: mcp1server2for3you4}}", "mcp1server2for3you4"],
    ["a version", "backends: {a: {url: 'http://x', headers: {Notion-Version: 2022-06-28}}}", "2022-06-28"],
    ["a variable that is not set", `backends: {a: {command: x, env: {KEY: "\${NONE_24}"}}}`, `\${NONE_24}`],
  ])("%s", (_, content, value) => {
    load(content, { env: { HOME: "/home/ordinary-23" } });
    expect(redact(`seen: ${value}.`)).toBe(`seen: ${value}.`);
  });
});
