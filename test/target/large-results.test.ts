// Results that are too long for one answer: nothing of them is lost, and nobody else reads them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Caller } from "../../src/protocol/call.ts";
import { LargeResults } from "../../src/target/large-results.ts";
import { postModern } from "../conformance/modern-post.ts";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { allText, type SdkClient, textOf } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestGateway } from "./gateway.ts";

const NAMES = { server: "files", tool: "read" };

function caller(key: string, era: Caller["era"] = "legacy", principal = "local"): Caller {
  return { era, revision: "2025-11-25", capabilities: {}, principal, key };
}

function answerOf(text: string, rest: object = {}): Answer {
  return { result: { content: [{ type: "text", text }], ...rest } };
}

function cursorIn(answer: Answer): string {
  return /"cursor":"([^"]+)"/.exec(allText(answer.result))?.[1] ?? "";
}

/** The whole text, gathered part by part as a model would. */
function gather(results: LargeResults, first: Answer, maxTokens: number, who: Caller): string {
  let text = textOf(first.result);
  for (let cursor = cursorIn(first); cursor !== ""; ) {
    const next = results.read(cursor, { caller: who, maxTokens });
    text += textOf(next.result);
    cursor = cursorIn(next);
  }
  return text;
}

describe("a result over the limit", () => {
  const who = caller("a");
  const samples: [string, string][] = [
    ["of one line", "x".repeat(1_001)],
    ["of many lines", Array.from({ length: 300 }, (_, index) => `line ${index}`).join("\n")],
    ["of characters outside the basic plane", "🎉é".repeat(700)],
  ];
  test.each(samples)("%s comes whole, in parts of that length", (_title, text) => {
    using results = new LargeResults();
    const first = results.shorten(answerOf(text), { caller: who, maxTokens: 100 }, NAMES);
    expect(textOf(first.result).length).toBeLessThanOrEqual(400);
    expect(textOf(first.result)).not.toMatch(/[\uD800-\uDBFF]$/);
    expect(gather(results, first, 100, who)).toBe(text);
  });

  test("ends its parts at the end of a line where it can", () => {
    using results = new LargeResults();
    const text = Array.from({ length: 100 }, (_, index) => `line ${index}`).join("\n");
    const first = results.shorten(answerOf(text), { caller: who, maxTokens: 50 }, NAMES);
    expect(textOf(first.result)).toEndWith("\n");
  });

  test("says how much there is and how to read on", () => {
    using results = new LargeResults();
    const first = results.shorten(answerOf("x".repeat(4_000)), { caller: who, maxTokens: 100 }, NAMES);
    expect(allText(first.result)).toContain("about tokens 1 to 100 of 1000");
    expect(allText(first.result)).toMatch(
      /gateway_invoke \{"server":"files","tool":"read","cursor":"part-[\w-]{16}-400"\}/,
    );
  });

  test("keeps images, isError and _meta", () => {
    using results = new LargeResults();
    const image = { type: "image", data: "A".repeat(9_000), mimeType: "image/png" };
    const content = [{ type: "text", text: "x".repeat(900) }, image, { type: "text", text: "y".repeat(900) }];
    const answer = { result: { content, isError: true, _meta: { kept: 1 } } };
    const first = results.shorten(answer, { caller: who, maxTokens: 100 }, NAMES);
    expect(first.result).toMatchObject({ isError: true, _meta: { kept: 1 } });
    expect(first.result.content).toContainEqual(image);
    expect(gather(results, first, 100, who)).toBe(`${"x".repeat(900)}\n${"y".repeat(900)}`);
    expect(results.read(cursorIn(first), { caller: who, maxTokens: 100 }).result.isError).toBe(true);
  });

  test("loses no structured content that its text does not say", () => {
    using results = new LargeResults();
    const structuredContent = { rows: Array.from({ length: 200 }, (_, id) => ({ id })) };
    const ask = { caller: who, maxTokens: 100 };
    const said = results.shorten(
      answerOf(JSON.stringify(structuredContent, null, 2), { structuredContent }),
      ask,
      NAMES,
    );
    expect(JSON.parse(gather(results, said, 100, who))).toEqual(structuredContent);
    const unsaid = results.shorten(answerOf("200 rows", { structuredContent }), ask, NAMES);
    expect(gather(results, unsaid, 100, who)).toBe(`200 rows\n${JSON.stringify(structuredContent)}`);
    expect(unsaid.result).not.toHaveProperty("structuredContent");
  });
});

test("a result within the limit, and any without one, is the very same object", () => {
  using results = new LargeResults();
  const answer = answerOf("x".repeat(400));
  expect(results.shorten(answer, { caller: caller("a"), maxTokens: 100 }, NAMES)).toBe(answer);
  expect(results.shorten(answer, { caller: caller("a"), maxTokens: 0 }, NAMES)).toBe(answer);
});

describe("what is kept", () => {
  const long = answerOf("x".repeat(1_000));
  const shorten = (results: LargeResults, who: Caller, answer = long) =>
    cursorIn(results.shorten(answer, { caller: who, maxTokens: 10 }, NAMES));

  test("is for its owner: not for another session, token or era", () => {
    using results = new LargeResults();
    const cursor = shorten(results, caller("a"));
    for (const other of [caller("b"), caller("a", "legacy", "somebody"), caller("a", "modern")]) {
      expect(() => results.read(cursor, { caller: other, maxTokens: 10 })).toThrow("nothing is kept");
    }
    const modern = shorten(results, caller("request-1", "modern"));
    expect(results.read(modern, { caller: caller("request-2", "modern"), maxTokens: 10 })).toBeDefined();
    expect(() =>
      results.read(modern, { caller: caller("request-2", "modern", "somebody"), maxTokens: 10 }),
    ).toThrow("nothing is kept");
  });

  test("can be read again, until it has not been used for a while", async () => {
    using results = new LargeResults({ ttlMs: 200 });
    const cursor = shorten(results, caller("a"));
    const read = () => results.read(cursor, { caller: caller("a"), maxTokens: 10 });
    expect(read()).toEqual(read());
    await waitFor(
      () => {
        // A look that finds it would keep it.
        const other = { caller: caller("nobody"), maxTokens: 10 };
        expect(() => results.read(cursor, other)).toThrow();
        return results.count === 0;
      },
      { what: "the end of what was kept" },
    );
    expect(read).toThrow("make the call anew");
  });

  test("is bounded in number and size: the one used longest ago goes", () => {
    using few = new LargeResults({ maxCount: 2 });
    const cursors = [1, 2, 3].map(() => shorten(few, caller("a")));
    const isKept = (results: LargeResults, cursor: string) => {
      try {
        return results.read(cursor, { caller: caller("a"), maxTokens: 10 }) !== undefined;
      } catch {
        return false;
      }
    };
    expect(cursors.map((cursor) => isKept(few, cursor))).toEqual([false, true, true]);
    using small = new LargeResults({ maxCharacters: 2_500 });
    const more = [1, 2, 3].map(() => shorten(small, caller("a")));
    expect(more.map((cursor) => isKept(small, cursor))).toEqual([false, true, true]);
  });

  test("of one that is too large for that, says what is lost", () => {
    using results = new LargeResults({ maxCharacters: 1_000 });
    const who = caller("a");
    const first = results.shorten(answerOf("x".repeat(5_000)), { caller: who, maxTokens: 200 }, NAMES);
    const last = results.read(cursorIn(first), { caller: who, maxTokens: 200 });
    expect(allText(last.result)).toContain("tokens 201 to 250 of 1250");
    expect(allText(last.result)).toContain("too long to be kept");
  });

  test("is not found by a made-up cursor", () => {
    using results = new LargeResults();
    const cursor = shorten(results, caller("a"));
    for (const wrong of ["part-", `${cursor}0000`, cursor.replace(/.-\d+$/, "!-40"), "part-__proto__-1"]) {
      expect(() => results.read(wrong, { caller: caller("a"), maxTokens: 10 })).toThrow("nothing is kept");
    }
  });
});

describe("through the gateway", () => {
  let stack: AsyncDisposableStack;
  let gateway: TestGateway;
  let sdk: SdkClient;
  let folder: string;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    folder = mkdtempSync(join(tmpdir(), "mcp-gateway-large-"));
    stack.defer(() => rmSync(folder, { recursive: true }));
    gateway = stack.use(
      await TestGateway.start({
        max_result_tokens: 500,
        backends: {
          healthy: asBackend(fixture("healthy")),
          reference: asBackend(referenceCommand("both")),
          files: asBackend(npmServer("filesystem", folder)),
        },
      }),
    );
    sdk = stack.use(await gateway.connect());
  });

  afterAll(() => stack.disposeAsync());

  function call(more: object, client: SdkClient = sdk) {
    return client.client.callTool({ name: "gateway_invoke", arguments: { ...more } });
  }

  const big = { server: "healthy", tool: "big", arguments: { bytes: 5_000 } };

  test("a long file is read to its end by cursors, as the notices say", async () => {
    const lines = Array.from({ length: 2_000 }, (_, index) => `entry number ${index}`).join("\n");
    const path = join(folder, "long.txt");
    await Bun.write(path, lines);
    let result = await call({ server: "files", tool: "read_text_file", arguments: { path } });
    let text = textOf(result);
    let parts = 1;
    for (;;) {
      const next = /gateway_invoke (\{.*?\})/.exec(allText(result))?.[1];
      if (next === undefined) break;
      result = await call(JSON.parse(next));
      text += textOf(result);
      parts += 1;
    }
    expect(text).toBe(lines);
    expect(parts).toBeGreaterThan(15);
  });

  test("max_result_tokens is the limit, max_tokens of a call another one", async () => {
    expect(textOf(await call(big))).toHaveLength(2_000);
    expect(textOf(await call({ ...big, max_tokens: 100 }))).toHaveLength(400);
    const whole = await call({ ...big, max_tokens: 5_000 });
    expect(whole).toEqual({ content: [{ type: "text", text: "x".repeat(5_000) }] });
  });

  test("another session cannot read on", async () => {
    const cursor = /"cursor":"([^"]+)"/.exec(allText(await call(big)))?.[1];
    await using other = await gateway.connect();
    const refused = await call({ server: "healthy", tool: "big", cursor }, other);
    expect(refused.isError).toBe(true);
    expect(allText(refused)).toContain("make the call anew");
    expect(textOf(await call({ cursor }))).toHaveLength(2_000);
  });

  test("a modern client reads on, too", async () => {
    const invoke = (args: object) =>
      postModern(`${gateway.url}/mcp`, "tools/call", { name: "gateway_invoke", arguments: args });
    const cursor = /cursor\\":\\"([^"\\]+)/.exec(JSON.stringify(await invoke(big)))?.[1];
    expect(await invoke({ server: "healthy", tool: "big", cursor, max_tokens: 5_000 })).toMatchObject({
      result: { resultType: "complete", content: [{ type: "text", text: "x".repeat(3_000) }] },
    });
  });

  test("a cursor that is not ours calls nothing by accident", async () => {
    const foreign = await call({ ...big, cursor: "eyJwYWdlIjoyfQ==" });
    expect(foreign.isError).toBe(true);
    expect(textOf(foreign)).toContain("was not given by gateway_invoke");
    // Beside a tool's own arguments, without "arguments", it is one of those.
    const args = { server: "reference", tool: "echo", cursor: "page-2", text: "x" };
    expect(textOf(await call(args))).toBe('{"cursor":"page-2","text":"x"}');
  });

  test("the direct route gives everything at once", async () => {
    await using direct = await gateway.connect("healthy");
    expect(await direct.text("big", { bytes: 100_000 })).toHaveLength(100_000);
  });

  test("0 is no limit", async () => {
    await using open = await TestGateway.start({
      max_result_tokens: 0,
      backends: { healthy: asBackend(fixture("healthy")) },
    });
    await using client = await open.connect();
    expect(await client.invoke("healthy", "big", { bytes: 200_000 })).toHaveLength(200_000);
  });
});
