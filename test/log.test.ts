// What a log line looks like, and what must never be in one. Secrets are global to the process: each test has its own.

import { describe, expect, test } from "bun:test";
import { createLog, type Log, type LogOptions, silentLog } from "../src/log.ts";
import { redact, registerSecret } from "../src/shown.ts";

function record(options: Partial<LogOptions> = {}): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = createLog({ level: "DEBUG", format: "text", write: (line) => lines.push(line), ...options });
  return { log, lines };
}

const TIME = /^\d{2}:\d{2}:\d{2}\.\d{3} /;
const ESC = String.fromCharCode(27);

describe("text", () => {
  test("is one line: time, level, message, fields, strings quoted only where they need it", () => {
    const { log, lines } = record();
    log.warning("backend failed", {
      backend: "github",
      attempts: 3,
      why: "no route",
      list: [1, "a"],
      none: undefined,
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(TIME);
    expect(lines[0]?.replace(TIME, "")).toBe(
      'WARNING backend failed backend=github attempts=3 why="no route" list=[1,"a"]\n',
    );
  });

  test("has colour only when the caller says so", () => {
    const plain = record();
    plain.log.error("x", { a: 1 });
    expect(plain.lines.join("")).not.toContain(ESC);
    const colored = record({ color: true });
    colored.log.error("x", { a: 1 });
    expect(colored.lines.join("")).toContain(`${ESC}[31mERROR`);
  });

  test("a message, a key or a value cannot forge a second line", () => {
    const { log, lines } = record();
    const forged = "boom\n12:00:00.000 ERROR forged\r\nmore\u2028and\u0085on";
    log.info(forged, { value: forged, list: [forged], [forged]: 1 });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/[\n\r\u0085\u2028]/);
    expect(lines[0]).toContain("boom\\n12:00:00.000 ERROR forged\\r\\nmore\\u2028and\\u0085on");
  });

  test("foreign text can neither drive the terminal nor turn the reading direction", () => {
    const { log, lines } = record();
    log.info(`${ESC}[2Jgone`, { value: `${ESC}]0;title\u0007`, bidi: "a\u202eb", csi: "\u009b2J" });
    expect(lines[0]?.slice(0, -1)).toMatch(/^[\x20-\x7e]+$/);
    expect(lines[0]).toContain("\\u001b[2Jgone");
    expect(lines[0]).toContain('bidi="a\\u202eb"');
  });

  test("text in other scripts and emoji stay readable", () => {
    const { log, lines } = record();
    log.info("größer 日本語 👩‍💻", { city: "Zürich" });
    expect(lines[0]).toContain('größer 日本語 👩‍💻 city="Zürich"');
  });
});

describe("json", () => {
  test("is one object per line, with time, level and message first", () => {
    const { log, lines } = record({ format: "json" });
    log.info("two\nlines", { backend: "github", nested: { deep: [true, null] }, none: undefined });
    expect(lines[0]?.indexOf("\n")).toBe((lines[0]?.length ?? 0) - 1);
    const { time, ...rest } = JSON.parse(lines[0] ?? "");
    expect(rest).toEqual({
      level: "INFO",
      message: "two\nlines",
      backend: "github",
      nested: { deep: [true, null] },
    });
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(10_000);
    expect(Object.keys(JSON.parse(lines[0] ?? "")).slice(0, 3)).toEqual(["time", "level", "message"]);
  });

  test("a field cannot pass itself off as the line's own level, message or time", () => {
    const { log, lines } = record({ format: "json" });
    log.info("real", { level: "ERROR", message: "forged", time: "never" });
    const line = JSON.parse(lines[0] ?? "");
    expect(line).toMatchObject({
      level: "INFO",
      message: "real",
      level_: "ERROR",
      message_: "forged",
      time_: "never",
    });
  });

  test("separators that some readers split lines at are escaped, and survive parsing", () => {
    const { log, lines } = record({ format: "json" });
    log.info("a\u2028b\u0085c");
    expect(lines[0]).not.toMatch(/[\u2028\u0085]/);
    expect(JSON.parse(lines[0] ?? "").message).toBe("a\u2028b\u0085c");
  });
});

describe("values", () => {
  test("an error without a stack shows its name and what it says", () => {
    const { log, lines } = record({ format: "json" });
    const error = new Error("the connection was closed");
    error.stack = "";
    log.error("failed", { error });
    expect(JSON.parse(lines[0] ?? "").error).toBe("Error: the connection was closed");
  });

  test("an error shows its stack and the chain of its causes", () => {
    const { log, lines } = record({ format: "json" });
    log.error("failed", { error: new Error("outer", { cause: new TypeError("inner", { cause: "root" }) }) });
    const { error } = JSON.parse(lines[0] ?? "");
    expect(error).toMatch(/Error: outer\n.*log\.test\.ts.*caused by: TypeError: inner\n.*caused by: root/s);
  });

  test("whatever is passed, a line comes out: circular, bigint, dates, functions, prototypes", () => {
    const { log, lines } = record({ format: "json" });
    const circular: Record<string, unknown> = { name: "loop" };
    circular.self = circular;
    const date = new Date(0);
    log.info("odd", {
      circular,
      big: 10n ** 20n,
      date,
      url: new URL("http://h/p"),
      run: Symbol("s"),
      ["__proto__"]: 1,
    });
    const line = JSON.parse(lines[0] ?? "");
    expect(line.circular.self.self.name).toBe("loop");
    expect(line).toMatchObject({
      big: "100000000000000000000",
      date: date.toISOString(),
      url: "http://h/p",
      run: "Symbol(s)",
    });
  });

  test("a huge value is cut, and says by how much", () => {
    const { log, lines } = record();
    log.info("x".repeat(20_000), { body: "y".repeat(9000) });
    expect(lines[0]?.length).toBeLessThan(18_000);
    expect(lines[0]).toContain("… (11808 more characters)");
    expect(lines[0]).toContain("… (808 more characters)");
  });
});

describe("levels", () => {
  const levels = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;

  for (const [index, level] of levels.entries()) {
    test(`${level} lets itself and the more severe through`, () => {
      const { log, lines } = record({ level, format: "json" });
      log.debug("m");
      log.info("m");
      log.warning("m");
      log.error("m");
      expect(lines.map((line) => JSON.parse(line).level)).toEqual(levels.slice(index));
    });
  }

  test("a line that is not wanted costs no look at its fields", () => {
    const { log, lines } = record({ level: "ERROR" });
    const trap = {
      get value(): never {
        throw new Error("looked at");
      },
    };
    log.info("m", { trap });
    expect(lines).toEqual([]);
  });

  test("with() adds fields to every line, and the line's own win", () => {
    const { log, lines } = record();
    const bound = log.with({ backend: "a", pid: 1 }).with({ pid: 2 });
    bound.info("one");
    bound.info("two", { backend: "b" });
    log.info("three");
    expect(lines.map((line) => line.replace(TIME, "").trim())).toEqual([
      "INFO    one backend=a pid=2",
      "INFO    two backend=b pid=2",
      "INFO    three",
    ]);
  });

  test("the silent log writes nothing, with fields or without", async () => {
    const script = `import { silentLog } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).pathname)};
      silentLog.error("x"); silentLog.with({ a: 1 }).error("y");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    const output = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect(output).toEqual(["", "", 0]);
    expect(silentLog.with({})).toBe(silentLog);
  });
});

describe("secrets", () => {
  for (const format of ["text", "json"] as const) {
    test(`are masked in message, key, value, nested value and error (${format})`, () => {
      registerSecret("hunter2-everywhere");
      const { log, lines } = record({ format });
      const secret = "hunter2-everywhere";
      const fields = {
        plain: secret,
        nested: { list: [`x${secret}y`] },
        [secret]: 1,
        error: new Error(secret),
      };
      log.with({ bound: secret }).info(`the key ${secret} was refused`, fields);
      expect(lines[0]).not.toContain(secret);
      expect(lines[0]?.split("***").length).toBeGreaterThan(6);
    });

    test(`with characters of patterns and of JSON are masked as well (${format})`, () => {
      const secrets = ["a.*+?^$()|[]{1}\\z", 'quo"te\\back/slash', "tab\there&é$&$1", "((((((7"];
      for (const secret of secrets) registerSecret(secret);
      const { log, lines } = record({ format });
      for (const secret of secrets) {
        log.info(`<${secret}>`, { value: `<${secret}>`, body: JSON.stringify({ key: secret }) });
      }
      for (const line of lines) {
        expect(line.match(/<\*\*\*>/g)).toHaveLength(2);
        expect(line).toMatch(/key\\*":\\*"\*\*\*\\*"/);
      }
    });

    test(`of several lines are masked line by line (${format})`, () => {
      const key = "-----BEGIN OF KEY-----\nMIIBfirstline0\nMIIBsecondline\n-----END OF KEY-----\n";
      registerSecret(key);
      const { log, lines } = record({ format });
      log.info("stderr", { whole: key, tail: key.split("\n") });
      for (const line of key.trim().split("\n")) log.info(line);
      expect(lines.join("")).not.toMatch(/MIIB|KEY/);
    });
  }

  test("are masked where they span what text puts side by side", () => {
    registerSecret("secret half=other half");
    const { log, lines } = record();
    log.info("a secret", { half: "other-half" });
    log.info("a secret half=other half");
    log.info("a", { url: "x secret half=other half" });
    expect(lines[0]).toContain("other-half");
    expect(lines[1]?.replace(TIME, "")).toBe("INFO    a ***\n");
    expect(lines[2]).toContain('url="x ***"');
    registerSecret("start one=two");
    log.info("start", { one: "two" });
    expect(lines[3]?.replace(TIME, "")).toBe("INFO    ***\n");
  });

  test("never break the JSON around them, even where they look like JSON", () => {
    registerSecret('","lev9el":"');
    const { log, lines } = record({ format: "json" });
    log.info('x","lev9el":"y', { urls: ["http://a", "b@c"] });
    const line = JSON.parse(lines[0] ?? "");
    expect(line).toMatchObject({ level: "INFO", message: "x***y", urls: ["http://a", "b@c"] });
  });

  test("inside a longer secret leave none of it standing, in either order of registration", () => {
    registerSecret("inner-secret");
    registerSecret("inner-secret-and-its-outer");
    expect(redact("inner-secret-and-its-outer inner-secret")).toBe("*** ***");
    registerSecret("long-one-second-half");
    registerSecret("second-half");
    expect(redact("long-one-second-half second-half")).toBe("*** ***");
  });

  test("are known by their header form and by their URL form too", () => {
    registerSecret("Bearer zażółć/gęślą token");
    expect(redact("got zażółć/gęślą token")).toBe("got ***");
    expect(redact(`GET /?q=${encodeURIComponent("zażółć/gęślą token")}`)).toBe("GET /?q=***");
  });

  test("that are too short to be one stay: a log full of masks says nothing", () => {
    registerSecret("true");
    registerSecret("1");
    expect(redact("true 1 12345")).toBe("true 1 12345");
  });
});

describe("redaction without registration", () => {
  const cases: [text: string, clean: string][] = [
    ["https://user:pass@host/path", "https://***@host/path"],
    ["postgres://u:p@ss@db:5432/x", "postgres://***@db:5432/x"],
    ["http://host/a@b and me@example.org", "http://host/a@b and me@example.org"],
    ["http://host?mail=me@example.org", "http://host?mail=me@example.org"],
    ["http://h/mcp?api_key=abc&x=1&access_token=d#f", "http://h/mcp?api_key=***&x=1&access_token=***#f"],
    ["Authorization: Bearer abc123.def", "Authorization: Bearer ***"],
    ['"authorization":"Basic dXNlcjpwYXNz"', '"authorization":"Basic ***"'],
    ["bearer abcdefghijklmnopqrst", "bearer ***"],
    ["a bearer token is needed, basic checks passed", "a bearer token is needed, basic checks passed"],
  ];
  for (const [text, clean] of cases) test(text, () => expect(redact(text)).toBe(clean));

  test("a field named like a credential shows no value, whatever it looks like", () => {
    const { log, lines } = record();
    const headers = { Authorization: "raw", "X-Api-Key": "k", Cookie: "c=1", "content-type": "text/plain" };
    log.info("request", { headers, github_token: "t", password: "p", tokens: 350 });
    expect(lines[0]).toContain(
      'headers={"Authorization":"***","X-Api-Key":"***","Cookie":"***","content-type":"text/plain"} github_token=*** password=*** tokens=350',
    );
  });

  test("takes no more than linear time over what a backend prints", () => {
    for (const unit of ["a", "a:", "://", "?a", "Bearer ", "http://a", "&key"]) {
      const started = performance.now();
      redact(unit.repeat(2_000_000 / unit.length));
      expect(performance.now() - started).toBeLessThan(20_000); // About 50 on a quiet machine; in square it would be hours.
    }
  });
});

test("a log whose reader has gone does not end the program", async () => {
  const script = `import { createLog } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).pathname)};
    const log = createLog({ level: "INFO", format: "text" });
    log.info("first");
    process.stdin.once("data", () => {
      let written = 0;
      const timer = setInterval(() => {
        log.info("to nobody " + "x".repeat(9000));
        if (++written === 50) { clearInterval(timer); process.stdout.write("alive", () => process.exit(7)); }
      }, 2);
    });`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stderr.getReader();
  const first = await reader.read();
  expect(new TextDecoder().decode(first.value)).toContain("first");
  await reader.cancel();
  child.stdin.write("go\n");
  await child.stdin.flush();
  expect(await child.stdout.text()).toBe("alive");
  expect(await child.exited).toBe(7);
});
