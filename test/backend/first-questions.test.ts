// Several clients call at once a server on stdio that nobody knows to ask questions: nobody is asked another's question,
// and nobody waits for long.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/index.ts";
import { fixture } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";

const CLIENTS = 4;

test("of calls that all ask, the last one left gets its question", async () => {
  const folder = mkdtempSync(join(tmpdir(), "first-questions-"));
  const [command = "", ...args] = fixture("asks-client");
  await using gateway = await Gateway.start(
    { port: 0, backends: { asks: { command, args } } },
    { stateFolder: folder, cacheFolder: folder },
  );
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => SdkClient.connect(`${gateway.url}/mcp/asks`)),
  );
  const answers = await Promise.all(clients.map(({ client }) => client.callTool({ name: "confirm" })));
  const texts = answers.map(({ content }) => JSON.stringify(content));
  const asked = clients.map(({ questions }) => questions.length);
  // Who was asked is who was answered, and the others were told that they could not be asked.
  expect(texts.map((text) => Number(text.includes("accept")))).toEqual(asked);
  expect(asked.reduce((sum, count) => sum + count, 0)).toBe(1);
  // From now on the calls take turns, so everybody is asked.
  await Promise.all(clients.map(({ client }) => client.callTool({ name: "confirm" })));
  expect(clients.map(({ questions }) => questions.length)).toEqual(asked.map((count) => count + 1));
  for (const client of clients) await client[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
}, 20_000);
