// The configuration file of a running gateway, edited as people and machines do it, and SIGHUP.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { NotifySocket } from "../support/notify-socket.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun, ProgramRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { UNFIT_FILES } from "../support/unfit-files.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const healthy = asBackend(fixture("healthy"));

const pathOf = ({ run }: GatewayRun) => join(run.folder, "servers.yaml");

/** The configuration as it stands in the folder of the run, with another one's `backends` beside its own. */
function withBackend(gateway: GatewayRun, name: string): string {
  const config = JSON.parse(readFileSync(pathOf(gateway), "utf8"));
  const [first] = Object.values(config.backends);
  return JSON.stringify({ ...config, backends: { ...config.backends, [name]: first } }, null, 2);
}

async function hasBackends(gateway: GatewayRun, ...names: string[]): Promise<true> {
  return await waitFor(
    async () => Object.keys((await gateway.health()).backends).join() === names.join() && true,
    { what: `the backends ${names.join()}` },
  );
}

async function configError(gateway: GatewayRun): Promise<unknown> {
  const health: unknown = await (await fetch(`${gateway.url}/health`)).json();
  return typeof health === "object" && health !== null && "config_error" in health
    ? health.config_error
    : undefined;
}

describe("an edit of the file", () => {
  test("is taken up, whether it is written in place or put in its place", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const pid = await sdk.invoke("first", "pid");
    writeFileSync(pathOf(gateway), withBackend(gateway, "second"));
    await hasBackends(gateway, "first", "second");
    writeFileSync(`${pathOf(gateway)}~`, withBackend(gateway, "third"));
    renameSync(`${pathOf(gateway)}~`, pathOf(gateway));
    await hasBackends(gateway, "first", "second", "third");
    expect(await sdk.invoke("third", "echo", { text: "new" })).toBe("new");
    expect(await sdk.invoke("first", "pid")).toBe(pid);
    expect(gateway.stderr).toContain("took up the new configuration");
  });

  test("is taken up where the file is a link into a mounted volume", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    const { folder } = gateway.run;
    const path = pathOf(gateway);
    const [one, two] = [readFileSync(path, "utf8"), withBackend(gateway, "second")];
    const put = (version: string, text: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "servers.yaml"), text);
      symlinkSync(version, join(folder, "..new"));
      renameSync(join(folder, "..new"), join(folder, "..data"));
    };
    put("..1", one);
    rmSync(path);
    symlinkSync("..data/servers.yaml", path);
    put("..2", two);
    await hasBackends(gateway, "first", "second");
    put("..3", one);
    await hasBackends(gateway, "first");
  });

  test("that is wrong changes nothing, and says every problem with its place, until it is mended", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const pid = await sdk.invoke("first", "pid");
    const good = readFileSync(pathOf(gateway), "utf8");
    writeFileSync(pathOf(gateway), "prot: 1\nbackends:\n  first: {comand: x}\n");
    await waitFor(async () => (await configError(gateway)) !== null);
    const error = await configError(gateway);
    expect(error).toContain("servers.yaml:1:1");
    expect(error).toContain("servers.yaml:3:11");
    expect(gateway.stderr).toContain("the new configuration is not used");
    expect(gateway.stderr).toContain("servers.yaml:3:11");
    expect(await sdk.invoke("first", "pid")).toBe(pid);
    writeFileSync(pathOf(gateway), good);
    await waitFor(async () => (await configError(gateway)) === null);
    expect(await sdk.invoke("first", "pid")).toBe(pid);
  });

  test("that only empties the file, or removes it, changes nothing", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    const good = readFileSync(pathOf(gateway), "utf8");
    truncateSync(pathOf(gateway));
    await waitFor(async () => String(await configError(gateway)).includes("is empty"));
    await hasBackends(gateway, "first");
    rmSync(pathOf(gateway));
    await waitFor(async () => String(await configError(gateway)).includes("not found"));
    await hasBackends(gateway, "first");
    writeFileSync(pathOf(gateway), good);
    await waitFor(async () => (await configError(gateway)) === null);
  });

  test("that puts no small regular file in its place neither blocks nor changes anything", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const pid = await sdk.invoke("first", "pid");
    const good = readFileSync(pathOf(gateway), "utf8");
    for (const { why, put } of UNFIT_FILES) {
      rmSync(pathOf(gateway), { recursive: true });
      put(pathOf(gateway));
      await waitFor(async () => why.test(String(await configError(gateway))), { what: String(why) });
      expect(await sdk.invoke("first", "pid")).toBe(pid);
    }
    rmSync(pathOf(gateway), { recursive: true });
    writeFileSync(pathOf(gateway), good);
    await waitFor(async () => (await configError(gateway)) === null);
  });

  test("of the log level counts at once; one of the port is said to need a restart", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    const config = JSON.parse(readFileSync(pathOf(gateway), "utf8"));
    expect(gateway.stderr).not.toContain("DEBUG");
    writeFileSync(
      pathOf(gateway),
      JSON.stringify({ ...config, log_level: "debug", auth: { disabled: true } }),
    );
    await waitFor(() => gateway.stderr.includes("started again"));
    expect(gateway.stderr).toMatch(/WARNING.*started again.*auth/);
    await sdk.invoke("first", "pid");
    expect(gateway.stderr).toContain("DEBUG");
  });

  test("during another one is not lost", async () => {
    await using gateway = await GatewayRun.start({ config: { backends: { first: healthy } } });
    const names = ["first"];
    for (let count = 0; count < 10; count += 1) {
      names.push(`more${count}`);
      writeFileSync(pathOf(gateway), withBackend(gateway, `more${count}`));
      await Bun.sleep(Math.random() * 250);
    }
    await hasBackends(gateway, ...names);
  });
});

describe("SIGHUP", () => {
  test("reads the file again, with what has changed around it", async () => {
    const config = { backends: { first: { ...healthy, cwd: "not-yet-there" } } };
    await using gateway = await GatewayRun.start({ config });
    expect((await gateway.backendHealth("first")).state).toBe("failed");
    mkdirSync(join(gateway.run.folder, "not-yet-there"));
    gateway.run.signal("SIGHUP");
    await waitFor(async () => (await gateway.backendHealth("first")).state !== "failed");
    await using sdk = await SdkClient.connect(`${gateway.url}/mcp`);
    expect(await sdk.invoke("first", "echo", { text: "mended" })).toBe("mended");
  });

  test("is no end of a gateway without a file, and finds the file that has come", async () => {
    await using gateway = await GatewayRun.start();
    gateway.run.signal("SIGHUP");
    await hasBackends(gateway, "demo");
    writeFileSync(pathOf(gateway), JSON.stringify({ backends: { mine: healthy } }));
    gateway.run.signal("SIGHUP");
    await hasBackends(gateway, "mine");
  });

  test("is answered to systemd, be the file good or bad", async () => {
    const path = `@${crypto.randomUUID()}`;
    using socket = new NotifySocket(path);
    await using gateway = await GatewayRun.start({
      config: { backends: { first: healthy } },
      env: { NOTIFY_SOCKET: path },
    });
    for (const text of [withBackend(gateway, "second"), "backends: 7"]) {
      const before = socket.messages().length;
      writeFileSync(pathOf(gateway), text);
      gateway.run.signal("SIGHUP");
      await waitFor(() => /RELOADING=1[\s\S]*READY=1/.test(socket.messages().slice(before).join("\n")));
    }
  });
});

test("the gateway of one stdio client follows its file, too, and tells the client", async () => {
  await using run = await ProgramRun.start(["stdio", "--no-meta-mcp"], {
    config: { backends: { first: healthy } },
  });
  const path = join(run.folder, "servers.yaml");
  const clientInfo = { name: "c", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  run.send({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  await waitFor(() => run.stdout.includes('"id":1'));
  run.send({ jsonrpc: "2.0", method: "notifications/initialized" });
  const config = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, "backends: 7");
  await waitFor(() => run.stderr.includes("the new configuration is not used"));
  writeFileSync(
    path,
    JSON.stringify({ ...config, backends: { ...config.backends, second: config.backends.first } }),
  );
  await waitFor(() => run.stdout.includes("notifications/tools/list_changed"));
  const called = { name: "second__echo", arguments: { text: "new here" } };
  run.send({ jsonrpc: "2.0", id: 2, method: "tools/call", params: called });
  await waitFor(() => run.stdout.includes("new here"));
});
