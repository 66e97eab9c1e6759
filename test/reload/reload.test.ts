// gateway.reload(): what stays, what ends, what comes, and who is told; proven by process ids and the process table.

import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type ConfigInput, Gateway, loadConfig } from "mcp-gateway";
import { fixture } from "../support/fixture.ts";
import { recordLog } from "../support/log-recorder.ts";
import { asBackend, npmServer } from "../support/npm-programs.ts";
import { openSession, post } from "../support/post.ts";
import { isRunning } from "../support/process-table.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

type Backends = NonNullable<ConfigInput["backends"]>;

setDefaultTimeout(30_000);

const healthy = asBackend(fixture("healthy"));
/** Other settings, and one can see that a process has them. */
const version = (value: string) => ({ ...healthy, env: { VERSION: value } });
const DOCUMENT = "demo://resource/static/document/features.md";

let folder: string;
let gateway: Gateway;
let lines: ReturnType<typeof recordLog>["lines"];

async function start(backends: Backends, rest: ConfigInput = {}): Promise<void> {
  const recorded = recordLog();
  lines = recorded.lines;
  gateway = await Gateway.start(
    { port: 0, ...rest, backends },
    { stateFolder: folder, cacheFolder: folder, log: recorded.log },
  );
}

const reload = (backends: Backends, rest: ConfigInput = {}) => gateway.reload({ port: 0, ...rest, backends });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-reload-"));
});
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

async function health(): Promise<{ status: string; config_error: string | null; backends: object }> {
  return JSON.parse(await (await fetch(`${gateway.url}/health`)).text());
}

function modernMeta(): Record<string, unknown> {
  return {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
}

async function hasCallInFlight(): Promise<boolean> {
  return JSON.stringify(await health()).includes('"in_flight":1');
}

describe("a backend whose settings are the same", () => {
  test("keeps its process, its sessions and its calls", async () => {
    await start({ same: healthy, other: version("1") });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/same`);
    const pid = await sdk.text("pid");
    const slow = sdk.text("slow", { ms: 600, text: "undisturbed" });
    await waitFor(hasCallInFlight);
    expect(await reload({ other: version("2"), same: { ...healthy }, more: healthy })).toEqual({
      added: ["more"],
      changed: ["other"],
      removed: [],
      needsRestart: [],
    });
    expect(await slow).toBe("undisturbed");
    expect(await sdk.text("pid")).toBe(pid);
    expect(Object.keys((await health()).backends)).toEqual(["other", "same", "more"]);
  });

  test("or differ only in their description keeps them too, and is found by the new one", async () => {
    await start({ it: { ...healthy, description: "of old" } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    const pid = await sdk.text("pid");
    const changed = await reload({ it: { ...healthy, description: "about zeppelins" } });
    expect(changed).toEqual({ added: [], changed: ["it"], removed: [], needsRestart: [] });
    expect(await sdk.text("pid")).toBe(pid);
    await using meta = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await meta.text("gateway_list_servers")).toContain("about zeppelins");
    expect(await meta.text("gateway_search_tools", { query: "zeppelins" })).toContain("it.");
    // Other settings do make another process, also after that.
    await reload({ it: { ...version("2"), description: "about zeppelins" } });
    expect(await sdk.text("pid")).not.toBe(pid);
  });

  test("is not touched by a reload that changes nothing, and the log does not speak of it", async () => {
    await start({ same: healthy });
    const nothing = { added: [], changed: [], removed: [], needsRestart: [] };
    expect(await gateway.reload(gateway.config)).toEqual(nothing);
    expect(lines.filter(({ message }) => message.includes("configuration"))).toEqual([]);
  });
});

describe("a backend whose settings have changed", () => {
  test("serves new calls with the new settings, when the old process has ended its own and is gone", async () => {
    await start({ it: version("1") });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    const pid = Number(await sdk.text("pid"));
    const slow = sdk.text("slow", { ms: 1_000, text: "from the old one" });
    await waitFor(hasCallInFlight);
    await reload({ it: version("2") });
    const early = sdk.text("env", { name: "VERSION" });
    expect(isRunning(pid)).toBe(true);
    expect(await slow).toBe("from the old one");
    expect(await early).toBe("2");
    expect(isRunning(pid)).toBe(false);
    expect(Number(await sdk.text("pid"))).not.toBe(pid);
  });

  test("serves what was called while it was still starting", async () => {
    const slowly = ["-c", 'sleep 0.5; exec "$0" "$@"', healthy.command, ...healthy.args];
    await start({ it: { command: "/bin/sh", args: slowly } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const first = sdk.invoke("it", "echo", { text: "asked before" });
    await waitFor(() => lines.some(({ message, to }) => message === "state" && to === "starting"));
    await reload({ it: version("2") });
    expect(await first).toBe("asked before");
    expect(await sdk.invoke("it", "env", { name: "VERSION" })).toBe("2");
  });

  test("is not started before somebody needs it", async () => {
    await start({ it: version("1") });
    await reload({ it: version("2") });
    await Bun.sleep(100);
    expect(lines.filter(({ to }) => to === "starting")).toEqual([]);
  });

  test("tells its clients, on every route, that its lists may have changed", async () => {
    await start({ it: asBackend(fixture("grows-tools")) }, { enable_meta_mcp: false });
    await using direct = await SdkClient.connect(`${gateway.url}/mcp/it`);
    await using merged = await SdkClient.connect(`${gateway.url}/mcp`);
    await direct.client.listTools();
    await merged.client.listTools();
    await reload({ it: version("2") }, { enable_meta_mcp: false });
    await waitFor(() => direct.listChanges > 0 && merged.listChanges > 0, { what: "tools/list_changed" });
    expect((await direct.client.listTools()).tools.map(({ name }) => name)).not.toContain("grow");
    expect((await merged.client.listTools()).tools.map(({ name }) => name)).toContain("it__echo");
  });

  test("goes on telling of the resources that clients watch, without being called first", async () => {
    const everything = { ...asBackend(npmServer("everything")), env: { VERSION: "1" } };
    await start({ it: everything });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    await sdk.client.subscribeResource({ uri: DOCUMENT });
    await reload({ it: { ...everything, env: { VERSION: "2" } } });
    await waitFor(() => lines.filter(({ to }) => to === "ready").length === 2, { what: "a second start" });
    await sdk.text("toggle-subscriber-updates");
    await waitFor(() => sdk.updated.length > 0, { what: "a resource update" });
    expect(sdk.updated).toContain(DOCUMENT);
  });

  test("is found by search as it is now, and not as it was", async () => {
    await start({ it: asBackend(fixture("grows-tools")) });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.text("gateway_search_tools", { query: "grow" })).toContain("it.grow");
    await reload({ it: version("2") });
    const found = await sdk.text("gateway_search_tools", { query: "grow another tool" });
    expect(found).not.toContain("it.grow");
    expect(await sdk.text("gateway_search_tools", { query: "echo" })).toContain("it.echo");
  });

  test("forgets that it failed for good", async () => {
    await start({ it: { command: "no-such-program-anywhere" } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.invoke("it", "echo", { text: "x" })).toContain("no-such-program-anywhere");
    await reload({ it: healthy });
    expect(await sdk.invoke("it", "echo", { text: "mended" })).toBe("mended");
    expect((await health()).status).toBe("healthy");
  });

  test("is there no more when it is disabled, and again when it is enabled", async () => {
    await start({ it: healthy });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const pid = Number(await sdk.invoke("it", "pid"));
    await reload({ it: { ...healthy, enabled: false } });
    await waitFor(() => !isRunning(pid));
    expect(await sdk.invoke("it", "pid")).toContain("disabled");
    await reload({ it: healthy });
    expect(await sdk.invoke("it", "echo", { text: "again" })).toBe("again");
  });
});

describe("of a server that owns something, two never run at a time:", () => {
  const owner = (env: Record<string, string> = {}) => ({
    ...asBackend(fixture("owns-lock", join(folder, "lock"))),
    env,
  });
  /** The second process would end with exit code 1, and the log would say so. */
  const failures = () => lines.filter(({ message }) => message.includes("exit code 1"));

  test("after a restart", async () => {
    await start({ it: owner() });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    const pid = await sdk.text("pid");
    const restarted = gateway.restart("it");
    expect(await sdk.text("pid")).not.toBe(pid);
    expect(await restarted).toMatchObject({ state: "ready", error: null });
    expect(failures()).toEqual([]);
  });

  test("after changes that follow each other", async () => {
    await start({ it: owner() });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    await sdk.text("pid");
    await reload({ it: owner({ VERSION: "2" }) });
    const second = sdk.text("pid").catch(String);
    await reload({ it: owner({ VERSION: "3" }) });
    expect(await sdk.text("env", { name: "VERSION" })).toBe("3");
    await second;
    expect(failures()).toEqual([]);
  });

  test("after it was removed and added again", async () => {
    await start({ it: owner() });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await sdk.invoke("it", "pid");
    await reload({});
    await reload({ it: owner() });
    expect(await sdk.invoke("it", "echo", { text: "again" })).toBe("again");
    expect(failures()).toEqual([]);
  });

  test("after its wire broke while it ran on", async () => {
    await start({ it: owner() });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    await sdk.invoke("it", "close");
    await waitFor(async () => (await sdk.invoke("it", "echo", { text: "again" })) === "again", {
      what: "a new process",
    });
    expect(failures()).toEqual([]);
  });
});

describe("a backend that is removed", () => {
  test("ends the calls that it has, takes no other, and its process goes", async () => {
    await start({ stays: healthy, goes: healthy });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/goes`);
    const pid = Number(await sdk.text("pid"));
    const slow = sdk.text("slow", { ms: 700, text: "to the end" });
    await waitFor(hasCallInFlight);
    await reload({ stays: healthy });
    const refused = await post(`${gateway.url}/mcp/goes`, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    expect(refused.status).toBe(404);
    expect(await refused.text()).toContain('Unknown backend \\"goes\\"; known are stays');
    expect(isRunning(pid)).toBe(true);
    expect(await slow).toBe("to the end");
    await waitFor(() => !isRunning(pid));
    const metrics = async () => await (await fetch(`${gateway.url}/metrics`)).text();
    await waitFor(async () => !(await metrics()).includes('backend="goes"'));
  });

  test("ends its sessions' streams, and tells the clients of all", async () => {
    await start({ stays: healthy, goes: healthy }, { enable_meta_mcp: false });
    await using merged = await SdkClient.connect(`${gateway.url}/mcp`);
    await merged.client.listTools();
    const session = await openSession(`${gateway.url}/mcp/goes`);
    const stream = await fetch(`${gateway.url}/mcp/goes`, {
      headers: { ...session, accept: "text/event-stream" },
    });
    await reload({ stays: healthy }, { enable_meta_mcp: false });
    await stream.text();
    await waitFor(() => merged.listChanges > 0, { what: "tools/list_changed" });
    const names = (await merged.client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("stays__echo");
    expect(names).not.toContain("goes__echo");
  });

  test("ends what modern clients listen to with its last news, and not what they listen to elsewhere", async () => {
    await start({ stays: healthy, goes: asBackend(fixture("grows-tools")) });
    const listen = async (route: string) => {
      const params = { _meta: modernMeta(), notifications: { toolsListChanged: true } };
      const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "subscriptions/listen" };
      const message = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params };
      const response = await post(`${gateway.url}${route}`, message, headers);
      expect(response.status).toBe(200);
      // The head comes with the acknowledgement.
      return { text: response.text() };
    };
    const [gone, stays] = await Promise.all(["/mcp/goes", "/mcp/stays"].map(listen));
    await reload({ stays: healthy });
    const text = await gone?.text;
    expect(text).toContain("notifications/tools/list_changed");
    expect(text).toContain('"resultType":"complete"');
    expect(await Promise.race([stays?.text, Bun.sleep(200)])).toBeUndefined();
  });

  test("and added again serves the sessions that it had", async () => {
    await start({ it: healthy });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    await reload({});
    await reload({ it: version("2") });
    expect(await sdk.text("env", { name: "VERSION" })).toBe("2");
  });
});

test("a backend that is added serves at once, and clients of all hear of it", async () => {
  await start({ first: healthy }, { enable_meta_mcp: false });
  await using merged = await SdkClient.connect(`${gateway.url}/mcp`);
  await merged.client.listTools();
  await reload({ first: healthy, second: healthy }, { enable_meta_mcp: false });
  await waitFor(() => merged.listChanges > 0, { what: "tools/list_changed" });
  expect(await merged.text("second__echo", { text: "new here" })).toBe("new here");
});

describe("a configuration that is wrong", () => {
  test("changes nothing, is told of in the log and in /health, and forgotten with the next good one", async () => {
    await start({ it: healthy });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
    const pid = await sdk.text("pid");
    const wrong = () => loadConfig({ port: 0, backends: { it: healthy, bad: {} } });
    await expect(gateway.reload(wrong)).rejects.toThrow(ConfigError);
    expect(await sdk.text("pid")).toBe(pid);
    expect((await health()).config_error).toContain('backends.bad needs "command"');
    expect(lines.find(({ level }) => level === "ERROR")?.problems).toEqual([
      expect.stringContaining("backends.bad"),
    ]);
    await reload({ it: healthy });
    expect((await health()).config_error).toBeNull();
    expect(await sdk.text("pid")).toBe(pid);
  });

  test("is one that would let strangers in, too", async () => {
    await start({ it: healthy });
    await expect(reload({ it: healthy }, { host: "0.0.0.0" })).rejects.toThrow("no token is set");
    expect(gateway.config.host).toBe("127.0.0.1");
  });

  test("shows its problems to nobody who has not brought the token", async () => {
    await start({ it: healthy }, { auth: { token: "a-token-for-tests" } });
    await expect(reload({ secret_name: {} })).rejects.toThrow(ConfigError);
    const shown = await health();
    expect(shown.config_error).toEqual(expect.any(String));
    expect(JSON.stringify(shown)).not.toContain("secret_name");
  });
});

test("what needs a restart is said, and left as it is", async () => {
  await start({ it: healthy });
  const { url } = gateway;
  const { needsRestart } = await reload(
    { it: healthy },
    { port: 12_345, host: "localhost", auth: { token: "a-token-for-tests" } },
  );
  expect(needsRestart.toSorted()).toEqual(["auth", "host", "port"]);
  expect(gateway.url).toBe(url);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: "WARNING", keys: expect.arrayContaining(["host", "port", "auth"]) }),
  );
  expect(JSON.stringify(lines)).not.toContain("a-token-for-tests");
});

test("reloads happen one after the other, and the last one holds", async () => {
  await start({ it: version("0") });
  await using sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
  await Promise.all(Array.from({ length: 20 }, (_, index) => reload({ it: version(String(index + 1)) })));
  expect(await sdk.text("env", { name: "VERSION" })).toBe("20");
});

test("a gateway that is being closed takes up nothing more, and leaves no process of any configuration", async () => {
  await start({ it: version("1") });
  const sdk = await SdkClient.connect(`${gateway.url}/mcp/it`);
  const pids = [Number(await sdk.text("pid"))];
  const slow = sdk.text("slow", { ms: 1_000, text: "to the end" });
  await waitFor(hasCallInFlight);
  await reload({ it: version("2") });
  pids.push(Number(await sdk.text("pid")));
  const closing = gateway.close();
  await expect(reload({ it: version("3") })).rejects.toThrow("being closed");
  await closing;
  expect(pids.filter(isRunning)).toEqual([]);
  expect(await slow).toBe("to the end");
  await sdk[Symbol.asyncDispose]();
});
