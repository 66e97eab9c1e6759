// What version 1 died of, and what it left behind: each failure is caused for real, and must stay a failure of one call
// or one backend that says what happened.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { openSession, post } from "../support/post.ts";
import { findFreePort, GatewayRun } from "../support/run-gateway.ts";
import { allText, SdkClient, textOf } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const deadPort = findFreePort();

/** Programs that end within milliseconds: which of the signs of the end comes first is left to chance. */
const QUICK = Array.from({ length: 12 }, (_, index) => ({
  name: `quick${index}`,
  command: `sh -c 'echo EXAMPLE_TOKEN is not set ${index % 2 === 0 ? ">&2" : ""}; exit 3'`,
}));

let stack: AsyncDisposableStack;
let gateway: GatewayRun;
let sdk: SdkClient;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  gateway = stack.use(
    await GatewayRun.start({
      config: {
        backends: {
          healthy: asBackend(fixture("healthy")),
          late: asBackend(fixture("answers-one-late")),
          unordered: asBackend(fixture("answers-out-of-order")),
          unknown: asBackend(fixture("answers-unknown-id")),
          twice: asBackend(fixture("answers-twice")),
          banner: asBackend(fixture("banner")),
          garbage: asBackend(fixture("writes-garbage")),
          flood: asBackend(fixture("stderr-flood")),
          split: asBackend(fixture("splits-characters")),
          picky: asBackend(fixture("exits-before-initialize")),
          patient: asBackend(fixture("healthy")),
          crashing: asBackend(fixture("healthy")),
          hanging: { ...asBackend(fixture("hangs-on-start")), start_timeout: 1 },
          quitter: asBackend(fixture("exits-at-once", "7")),
          missing: { command: "no-such-program-anywhere --serve" },
          dead: { url: `http://127.0.0.1:${deadPort}/mcp` },
          unset: { ...asBackend(fixture("healthy")), env: { KEY: "${SURELY_UNSET_VARIABLE}" } },
          asking: asBackend(fixture("asks-client")),
          off: { ...asBackend(fixture("healthy")), enabled: false },
          ...Object.fromEntries(QUICK.map(({ name, command }) => [name, { command }])),
        },
      },
    }),
  );
  sdk = stack.use(await SdkClient.connect(`${gateway.url}/mcp`));
});

afterAll(() => stack.disposeAsync());

/** What a model reads of a call that failed. */
async function failure(server: string, tool = "echo", args: object = { text: "x" }): Promise<string> {
  const result = await sdk.client.callTool({
    name: "gateway_invoke",
    arguments: { server, tool, arguments: args },
  });
  expect(result.isError).toBe(true);
  return allText(result);
}

describe("an answer goes to the call that it is for, when the server", () => {
  test("answers one call late", async () => {
    const first = sdk.invoke("late", "echo", { text: "first" });
    const second = sdk.invoke("late", "echo", { text: "second" });
    expect(await first).toBe("first");
    const third = sdk.invoke("late", "echo", { text: "third" });
    expect(await second).toBe("second");
    void sdk.invoke("late", "echo", { text: "fourth" }).catch(() => {});
    expect(await third).toBe("third");
  });

  test("answers in another order", async () => {
    const texts = ["one", "two", "three"];
    expect(await Promise.all(texts.map((text) => sdk.invoke("unordered", "echo", { text })))).toEqual(texts);
  });

  test.each(["unknown", "twice"])("sends answers that nobody asked for (%s)", async (server) => {
    for (const text of ["one", "two", "three"]) expect(await sdk.invoke(server, "echo", { text })).toBe(text);
  });

  test("serves two clients that use the same ids", async () => {
    const url = `${gateway.url}/mcp/healthy`;
    const sessions = await Promise.all([openSession(url), openSession(url)]);
    const call = async (text: string, session: Record<string, string> | undefined) => {
      const params = { name: "slow", arguments: { ms: 50, text } };
      const response = await post(url, { jsonrpc: "2.0", id: 1, method: "tools/call", params }, session);
      return response.json();
    };
    expect(await Promise.all([call("mine", sessions[0]), call("yours", sessions[1])])).toMatchObject([
      { id: 1, result: { content: [{ text: "mine" }] } },
      { id: 1, result: { content: [{ text: "yours" }] } },
    ]);
  });
});

test("a server's question goes to the client that called, and to no other", async () => {
  const url = `${gateway.url}/mcp/asking`;
  const names = ["Ada", "Grace", "Edsger"];
  // On a pipe the gateway has to see once that a server asks: from then on it keeps such calls apart.
  await using first = await SdkClient.connect(url);
  expect(await first.text("confirm")).toContain('"name":"Ada"');
  await using stack = new AsyncDisposableStack();
  const answers = names.map(async (name) => {
    const client = stack.use(await SdkClient.connect(url));
    client.client.setRequestHandler(ElicitRequestSchema, async () => {
      await Bun.sleep(20); // While the others ask, too.
      return { action: "accept", content: { name } };
    });
    return client.text("confirm");
  });
  const said = await Promise.all(answers);
  for (const [index, name] of names.entries()) expect(said[index]).toContain(`"name":"${name}"`);

  const session = await openSession(url); // Of a client that cannot be asked.
  const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "confirm" } };
  const refused = await post(url, call, session);
  expect(await refused.text()).toContain("elicitation");
});

describe("a server works all the same that", () => {
  test.each([
    ["banner", "prints banners on stdout"],
    ["garbage", "prints broken JSON and binary on stdout"],
    ["flood", "writes 300 KB to stderr before each answer"],
    ["split", "splits characters over writes"],
    ["picky", "ends when it is asked anything before initialize"],
  ])("%s: %s", async (server) => {
    for (const text of ["plain", "häßlich 🎉 漢字"])
      expect(await sdk.invoke(server, "echo", { text })).toBe(text);
  });
});

test("however fast a process ends, its error has its last words, from stderr or stdout", async () => {
  const texts = await Promise.all(QUICK.map(({ name }) => failure(name)));
  for (const text of texts) expect(text).toContain("EXAMPLE_TOKEN is not set");
});

test("one slow call delays neither the same backend, nor another, nor /health", async () => {
  let isSlowDone = false;
  const slow = sdk.invoke("healthy", "slow", { ms: 2_000, text: "at last" }).finally(() => {
    isSlowDone = true;
  });
  await waitFor(async () => (await gateway.backendHealth("healthy")).in_flight === 1);
  expect(await sdk.invoke("healthy", "echo", { text: "beside it" })).toBe("beside it");
  expect(await sdk.invoke("banner", "echo", { text: "elsewhere" })).toBe("elsewhere");
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(200);
  expect(isSlowDone).toBe(false);
  expect(await slow).toBe("at last");
});

test("a call that its client cancels is cancelled at the server", async () => {
  await using direct = await SdkClient.connect(`${gateway.url}/mcp/patient`);
  const abort = new AbortController();
  const call = { name: "slow", arguments: { ms: 60_000, text: "the long one" } };
  const slow = direct.client.callTool(call, undefined, { signal: abort.signal });
  await waitFor(async () => (await gateway.backendHealth("patient")).in_flight === 1);
  abort.abort();
  await expect(slow).rejects.toThrow();
  // The server says on stderr that it was cancelled; its last words tell.
  await waitFor(async () => (await gateway.backendHealth("patient")).in_flight === 0);
  expect(await failure("patient", "crash", { code: 9 })).toContain("cancelled the long one");
});

test("a crash fails the calls in flight at once, with exit code and last words, and the next call starts anew", async () => {
  const { restart_count } = await gateway.backendHealth("crashing");
  const bystander = failure("crashing", "slow", { ms: 60_000 });
  await waitFor(async () => (await gateway.backendHealth("crashing")).in_flight > 0);
  const said = await failure("crashing", "crash", { code: 42, text: "fatal: out of paper" });
  for (const words of [said, await bystander]) {
    expect(words).toContain("crashing");
    expect(words).toContain("exit code 42");
    expect(words).toContain("fatal: out of paper");
  }
  expect(await waitFor(() => sdk.invoke("crashing", "echo", { text: "back" }))).toBe("back");
  expect((await gateway.backendHealth("crashing")).restart_count).toBeGreaterThan(restart_count);
});

describe("a backend that cannot run says why, to a model, to a client and in /health:", () => {
  const broken = [
    {
      server: "missing",
      words: ["no-such-program-anywhere", "no such program on the PATH (searched /", "Install it"],
      state: "failed",
    },
    { server: "dead", words: [`127.0.0.1:${deadPort}`, "nothing listens there"], state: "failed" },
    { server: "quitter", words: ["exit code 7", "API_KEY is not set"], state: "failed" },
    {
      server: "hanging",
      words: ["no handshake within 1 s", "start_timeout", "read server/discover"],
      state: "failed",
    },
    { server: "unset", words: ["SURELY_UNSET_VARIABLE", "env.KEY"], state: "failed" },
    { server: "off", words: ["disabled", "enabled: false"], state: "disabled" },
  ];
  test.each(broken)("$server", async ({ server, words, state }) => {
    const said = await failure(server);
    for (const word of [server, ...words]) expect(said).toContain(word);

    const init = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } };
    const message = { jsonrpc: "2.0", id: 5, method: "initialize", params: init };
    const answer = await (await post(`${gateway.url}/mcp/${server}`, message)).json();
    expect(answer).toMatchObject({ id: 5, error: { message: expect.stringContaining(words[0] ?? "") } });

    const health = await gateway.backendHealth(server);
    expect(health.state).toBe(state);
    expect(health.running).toBe(false);
    if (state === "failed") expect(health.last_error).toContain(words[0] ?? "");
  });

  test("the gateway is degraded then, and everything else works", async () => {
    expect((await gateway.health()).status).toBe("degraded");
    expect(await sdk.invoke("healthy", "echo", { text: "fine" })).toBe("fine");
  });

  test("a search finds the rest, and names those that could not be asked", async () => {
    const found = await sdk.text("gateway_search_tools", { query: "says back what it is told" });
    expect(found).toContain("echo(");
    for (const { server, state } of broken)
      if (state === "failed") expect(found).toMatch(new RegExp(`not searched: .*\\b${server}\\b.*: failed`));
  });

  test("a program that does not exist is not started again and again", async () => {
    const { restart_count } = await gateway.backendHealth("missing");
    await failure("missing");
    await failure("missing");
    expect((await gateway.backendHealth("missing")).restart_count).toBe(restart_count);
  });

  test("a variable that is unset was told at start, with its line", () => {
    expect(gateway.stderr).toMatch(/servers\.yaml:\d+.*SURELY_UNSET_VARIABLE/);
  });
});

describe("a notification is answered with 202 and nothing", () => {
  const notifications = [
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 99 } },
    { jsonrpc: "2.0", method: "notifications/no/such/thing" },
  ];
  test.each(["/mcp", "/mcp/healthy", "/healthy/mcp"])("%s", async (path) => {
    const url = gateway.url + path;
    const session = await openSession(url);
    const meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" };
    const modern = {
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 1, _meta: meta },
    };
    const answers = [
      ...notifications.map((message) => post(url, message, session)),
      post(url, modern, { "mcp-protocol-version": "2026-07-28" }),
    ];
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(202);
      expect(await answer.text()).toBe("");
    }
  });
});

test("an unknown backend is a 404 that names those that there are", async () => {
  for (const path of ["/mcp/nobody", "/nobody/mcp"]) {
    const response = await post(gateway.url + path, { jsonrpc: "2.0", id: 1, method: "ping" });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/"nobody".*healthy, late/) },
    });
  }
});

test("a session that nobody knows is a 404, and initialize with it opens a new one", async () => {
  const url = `${gateway.url}/mcp`;
  const stale = { "mcp-session-id": "from-another-gateway" };
  expect((await post(url, { jsonrpc: "2.0", id: 1, method: "tools/list" }, stale)).status).toBe(404);
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } };
  const again = await post(url, { jsonrpc: "2.0", id: 1, method: "initialize", params }, stale);
  expect(again.status).toBe(200);
  expect(again.headers.get("mcp-session-id")).not.toBe("from-another-gateway");
});

test("the result of a tool that failed is passed on, and is no failure of the backend", async () => {
  await using direct = await SdkClient.connect(`${gateway.url}/mcp/healthy`);
  const failed = await direct.client.callTool({ name: "fail", arguments: { text: "no luck" } });
  expect([failed.isError, textOf(failed)]).toEqual([true, "no luck"]);
  expect(await gateway.backendHealth("healthy")).toMatchObject({ state: "ready", last_error: null });
});
