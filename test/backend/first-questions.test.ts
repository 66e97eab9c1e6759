// Several clients call at once a server on stdio that nobody knows to ask questions: nobody is asked another's question,
// and nobody waits for long.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/index.ts";
import { fixture } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";

const CLIENTS = 5;

let owned: AsyncDisposableStack;
let clients: SdkClient[];

beforeEach(async () => {
  owned = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "first-questions-"));
  owned.defer(() => rmSync(folder, { recursive: true }));
  const [command = "", ...args] = fixture("asks-client");
  const backends = { asks: { command, args } };
  const gateway = owned.use(
    await Gateway.start({ port: 0, backends }, { stateFolder: folder, cacheFolder: folder }),
  );
  clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => SdkClient.connect(`${gateway.url}/mcp/asks`)),
  );
  for (const client of clients) owned.use(client);
});

afterEach(() => owned.disposeAsync());

test("of calls that all ask, the last one left gets its question, the others are told what to do", async () => {
  const answers = await Promise.all(clients.map((client) => client.text("confirm")));
  const asked = clients.map(({ questions }) => questions.length);
  // Who was asked is who was answered.
  expect(answers.map((text) => Number(text.includes("accept")))).toEqual(asked);
  expect(asked.reduce((sum, count) => sum + count, 0)).toBe(1);
  const refusals = answers.filter((text) => !text.includes("accept"));
  for (const text of refusals) expect(text).toContain("Make the call again");
  // From now on the calls take turns, so everybody is asked.
  const again = await Promise.all(clients.map((client) => client.text("confirm")));
  for (const text of again) expect(text).toContain("accept");
  expect(clients.map(({ questions }) => questions.length)).toEqual(asked.map((count) => count + 1));
}, 20_000);

test("calls that may be made twice are made again, each alone, and everybody is asked its own question", async () => {
  const looks = clients.map((client, at) => client.text("look_up", { who: `number ${at}` }));
  for (const text of await Promise.all(looks)) expect(text).toContain("accept");
  for (const [at, { questions }] of clients.entries()) {
    expect(questions).toMatchObject([{ params: { message: `Who is number ${at}?` } }]);
  }
}, 20_000);

test("a client that has given up a call is asked by its next one at once", async () => {
  const [client] = clients;
  const stop = new AbortController();
  // Works on for a minute, whatever it is told.
  const stubborn = { name: "progress", arguments: { ms: 100, steps: 600 } };
  const options = { signal: stop.signal, onprogress: () => stop.abort() };
  await expect(client?.client.callTool(stubborn, undefined, options)).rejects.toThrow();
  expect(await client?.text("confirm")).toContain("accept");
}, 10_000);
