// What the gateway owes to the machine as a process: no zombies if it is the first process of a container, and nothing for
// its backends to read in /proc. The process table and other processes are asked.

import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "../support/binary.ts";
import { fixturePath } from "../support/fixture.ts";
import { openSession, post } from "../support/post.ts";
import { waitFor } from "../support/wait-for.ts";

setDefaultTimeout(30_000);

const SECRET = "a-secret-of-the-gateway";
const UNSHARE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway-own-"));
  chmodSync(folder, 0o777);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function works(command: readonly string[]): boolean {
  const isFound = Bun.which(command[0] ?? "") !== null;
  const works = isFound && Bun.spawnSync([...command, "true"]).success;
  if (!works) process.stderr.write(`skipped: ${command[0]} does not work here\n`);
  return works;
}

interface Started extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** The compiled gateway behind another program, as a container or another user would run it. */
async function start(wrapper: readonly string[], backend: object): Promise<Started> {
  writeFileSync(join(folder, "servers.yaml"), JSON.stringify({ backends: { it: backend } }));
  const own = { HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = Bun.spawn([...wrapper, await findBinary(), "-p", "0"], {
    cwd: folder,
    env: { ...process.env, ...own, SECRET },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) said += decoder.decode(chunk, { stream: true });
  })();
  const url = await waitFor(() => /listens on (\S+)\/mcp/.exec(said)?.[1], { what: "the gateway" });
  return {
    url,
    pid: child.pid,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      // The first process of a namespace takes its wrapper along.
      if (wrapper === UNSHARE) child.kill("SIGKILL");
      await child.exited;
      await read;
    },
  };
}

function childrenOf(parent: number): { pid: number; state: string; name: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const [state = "", parentOfEntry] = stat.slice(end + 2).split(" ");
      const program = stat.slice(stat.indexOf("(") + 1, end);
      return Number(parentOfEntry) === parent ? [{ pid: Number(name), state, name: program }] : [];
    } catch {
      return [];
    }
  });
}

test.if(process.platform === "linux" && works(UNSHARE))("as the first process it reaps orphans", async () => {
  // Each orphan is given to the first process while it runs, so that this one has to take note of its end.
  const orphans = Array.from({ length: 10 }, () => "setsid sh -c 'sleep 2 & sleep 2 &'").join("; ");
  const args = ["-c", `${orphans}; exec "${process.execPath}" "${fixturePath("healthy")}"`];
  await using gateway = await start(UNSHARE, { command: "sh", args });
  const session = await openSession(`${gateway.url}/mcp/it`);
  const call = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "echo", arguments: { text: "x" } },
  };
  expect((await post(`${gateway.url}/mcp/it`, call, session)).status).toBe(200);
  const first = childrenOf(gateway.pid)[0]?.pid ?? 0;
  const sleepers = () => childrenOf(first).filter(({ name }) => name === "sleep");
  await waitFor(() => sleepers().length === 20, { what: "the orphans" });
  await waitFor(() => sleepers().length === 0, { what: "the last of them to be reaped" });
  expect(childrenOf(first).filter(({ state }) => state === "Z")).toEqual([]);
  expect((await post(`${gateway.url}/mcp/it`, { ...call, id: 2 }, session)).status).toBe(200);
});

const isRoot = process.getuid?.() === 0;
test.if(process.platform === "linux" && (!isRoot || works(NOBODY)))(
  "what runs as the same user reads neither its environment nor its memory",
  async () => {
    const asSameUser = isRoot ? NOBODY : [];
    await using gateway = await start(asSameUser, { command: "sh" });
    const read = (path: string) => Bun.spawnSync([...asSameUser, "cat", path]);
    await waitFor(() => !read(`/proc/${gateway.pid}/environ`).success, { what: "the end of the start" });
    expect(read(`/proc/${gateway.pid}/environ`).stdout.toString()).not.toContain(SECRET);
    expect(read(`/proc/${gateway.pid}/maps`).success).toBe(false);
    // What anybody may know is still there.
    expect(read(`/proc/${gateway.pid}/stat`).success).toBe(true);
  },
);
