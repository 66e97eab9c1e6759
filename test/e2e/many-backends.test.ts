// Twenty backends, five of them broken, each in its own way: the fifteen do not notice.

import { expect, setDefaultTimeout, test } from "bun:test";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { findFreePort, GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";

setDefaultTimeout(30_000);

const deadPort = findFreePort();
const KINDS = ["healthy", "banner", "stderr-flood", "answers-twice", "lists-in-pages"];

const working = Object.fromEntries(
  Array.from({ length: 15 }, (_, index) => {
    const kind = KINDS[index % KINDS.length] ?? "";
    return [`${kind}-${index}`, asBackend(fixture(kind))];
  }),
);

const broken = {
  "broken-command": { command: "no-such-program-anywhere" },
  "broken-url": { url: `http://127.0.0.1:${deadPort}/mcp` },
  "broken-start": asBackend(fixture("exits-at-once", "3")),
  "broken-handshake": { ...asBackend(fixture("hangs-on-start")), start_timeout: 8 },
  "broken-variable": { url: "https://${SURELY_UNSET_HOST}/mcp" },
};

const reasons: Record<keyof typeof broken, string> = {
  "broken-command": "no such program on the PATH",
  "broken-url": `http://127.0.0.1:${deadPort}/mcp failed`,
  "broken-start": "API_KEY is not set",
  "broken-handshake": "no handshake within 8 s",
  "broken-variable": "SURELY_UNSET_HOST",
};

test("the gateway is up at once, fifteen work, and five say why they do not", async () => {
  const startedMs = performance.now();
  await using gateway = await GatewayRun.start({ config: { backends: { ...broken, ...working } } });
  const upMs = performance.now() - startedMs;
  console.log(`up with 20 backends after ${Math.round(upMs)} ms`);
  expect(upMs).toBeLessThan(15_000); // A loaded machine's; the promise is one second.

  await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
  const calls = [...Object.keys(broken), ...Object.keys(working)].map(async (server) => {
    const answer = await sdk.invoke(server, "echo", { text: `I am ${server}` });
    return [server, answer, performance.now()] as const;
  });
  const answers = await Promise.all(calls);
  const [failed, worked] = [answers.slice(0, 5), answers.slice(5)];
  expect(worked.map(([, answer]) => answer)).toEqual(Object.keys(working).map((server) => `I am ${server}`));
  for (const [server, answer] of failed) expect(answer).toContain(reasons[server as keyof typeof broken]);
  // The one that hangs fails last: nobody waited for it.
  const hangsUntilMs = failed.find(([server]) => server === "broken-handshake")?.[2] ?? 0;
  expect(Math.max(...worked.map(([, , atMs]) => atMs))).toBeLessThan(hangsUntilMs);

  const { status, backends } = await gateway.health();
  expect(status).toBe("degraded");
  for (const server of Object.keys(working)) {
    expect(backends[server]).toMatchObject({ state: "ready", restart_count: 0, last_error: null });
  }
  for (const [server, reason] of Object.entries(reasons)) {
    expect(backends[server]).toMatchObject({ state: "failed", last_error: expect.stringContaining(reason) });
  }

  const found = await sdk.text("gateway_search_tools", { query: "says back what it is told", limit: 20 });
  for (const server of Object.keys(working)) expect(found).toContain(`${server}.echo(`);
  for (const server of Object.keys(broken))
    expect(found).toMatch(new RegExp(`not searched: .*\\b${server}\\b.*: failed`));
});
