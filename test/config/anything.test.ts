// Whatever stands in a file or comes from a program: finished values, or a ConfigError. Nothing else is ever thrown.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError, type ConfigProblem } from "../../src/config/problem.ts";
import { BackendSchema, ConfigSchema } from "../../src/config/schema.ts";
import { Folder } from "./written.ts";

const SURROUNDINGS = { env: { SET: "value" }, cwd: "/", home: "/home/someone", platform: "linux" } as const;

function problemsWith(source: string, cwd: string): readonly ConfigProblem[] {
  try {
    const config = loadConfig(source, {}, { ...SURROUNDINGS, cwd });
    expect(config.port).toBe(Math.trunc(config.port));
    expect(config.backends.every(({ wire }) => wire.kind === "url" || wire.argv.length > 0)).toBe(true);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    expect(thrown.problems.length).toBeGreaterThan(0);
    return thrown.problems;
  }
}

/** Keys that mean something, so that the values get past the first check. */
const key = fc.oneof(
  fc.constantFrom(
    ...Object.keys(ConfigSchema.properties),
    ...Object.keys(BackendSchema.properties),
    "__proto__",
    "<<",
  ),
  fc.string(),
);
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "$SET",
    "$NONE",
    "5m",
    "http://x",
    "ftp://x",
    "http://me:%zz@x/?key=%zz",
    "a 'b",
    "stdio",
    "http",
    "INFO",
    "~",
    "null",
    "*a",
    "&a",
  ),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.jsonValue(),
    fc.double(),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 6 }),
  ),
}));
const backends = fc.dictionary(
  fc.oneof(key, fc.constantFrom("a", "b")),
  fc.dictionary(key, value, { maxKeys: 6 }),
);
const config = fc.oneof(
  value,
  fc
    .record({ backends, other: value })
    .map(({ backends: all, other }) => ({ backends: all, ...Object(other) })),
);

/** Lines of YAML, sound and broken ones mixed. */
const yaml = fc
  .array(
    fc.tuple(
      fc.constantFrom("", "  ", "    ", "\t", "- ", "? "),
      fc.oneof(
        key,
        fc.constantFrom("a", "*x", "&x", "!t", "{", "[", '"', "'", "|", ">", "%", "---", "#", "// c"),
      ),
      fc.constantFrom(": ", ":", " ", ": &x ", ": *x", ": !t ", ": |\n", "\r\n"),
      fc.oneof(text, fc.constantFrom("{", "}", "[a, b]", "{a: b}", '"\\q"', "", "{<<: *x}")),
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.map((parts) => parts.join("")).join("\n"));

describe("any", () => {
  test("JSON value in a file", () => {
    using folder = new Folder();
    fc.assert(
      fc.property(config, (any) => {
        folder.write("servers.json", JSON.stringify(any) ?? "");
        problemsWith("servers.json", folder.path);
      }),
      { numRuns: 1500 },
    );
  });

  test("text in a file; every problem points into it", () => {
    using folder = new Folder();
    fc.assert(
      fc.property(fc.oneof(yaml, text), (any) => {
        folder.write("servers.yaml", any);
        const lines = any.split("\n").length;
        for (const problem of problemsWith("servers.yaml", folder.path)) {
          expect(problem.file).toBe("servers.yaml");
          expect(problem.line ?? 1).toBeWithin(1, lines + 1);
          expect(problem.column ?? 1).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("value of a program", () => {
    fc.assert(
      fc.property(config, (any) => {
        // A text would be the path of a file.
        if (typeof any === "string") return;
        try {
          // What TypeScript refuses is what JavaScript passes.
          Reflect.apply(loadConfig, undefined, [any, {}, SURROUNDINGS]);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test.each([
    ["an anchor within itself", "backends: &a\n  x: *a"],
    ["a list within itself", "backends:\n  x: {command: y, args: &a [*a]}"],
    ["a merge of itself", "backends: &a\n  x:\n    <<: *a"],
    [
      "aliases that multiply",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghi"].map((name, at) => `${name}: &${name} [${`*${"abcdefgh"[at]},`.repeat(9)}]`).join("\n")}`,
    ],
    ["maps too deep", `${"{a: ".repeat(5000)}1${"}".repeat(5000)}`],
    ["lists too deep", "[".repeat(100_000)],
    ["variables too deep", `backends: {a: {command: "${"${A:-".repeat(5000)}${"}".repeat(5000)}"}}`],
    ["zeros", "\0\0\0"],
  ])("trap: %s", (_, content) => {
    using folder = new Folder();
    folder.write("servers.yaml", content);
    expect(problemsWith("servers.yaml", folder.path)).toBeArray();
  });
});
