// Plays the fuzz of paths against a compiled gateway, the one of this checkout or any other; see test/fuzz/path-edge.ts.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BACKEND, BINDS, type Fuzzed, fuzzPaths } from "../test/fuzz/path-edge.ts";
import { findBinary } from "../test/support/binary.ts";
import { findFreePort } from "../test/support/run-gateway.ts";
import { waitFor } from "../test/support/wait-for.ts";

const { values } = parseArgs({
  options: {
    binary: { type: "string" },
    cases: { type: "string", default: "15000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    lanes: { type: "string", default: "16" },
  },
});

const binary = values.binary === undefined ? await findBinary() : resolve(values.binary);
const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-paths-"));
await using running = new AsyncDisposableStack();
running.defer(() => rmSync(folder, { recursive: true, force: true }));

async function start(host: string, token: string | undefined): Promise<Fuzzed> {
  const port = findFreePort();
  const auth = token === undefined ? {} : { auth: { token } };
  const path = join(folder, `${port}.yaml`);
  writeFileSync(path, JSON.stringify({ host, port, ...auth, backends: { [BACKEND]: { command: "cat" } } }));
  const own = { HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = Bun.spawn([binary, "serve", "-c", path, "--log-level", "ERROR"], {
    env: { ...process.env, ...own },
    stdio: ["ignore", "ignore", "inherit"],
  });
  running.defer(async () => {
    child.kill("SIGTERM");
    await child.exited;
  });
  const dialled = host === "0.0.0.0" ? "127.0.0.1" : host;
  const url = `http://${dialled.includes(":") ? `[${dialled}]` : dialled}:${port}/health`;
  const isUp = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor(isUp, { timeoutMs: 15_000, what: url });
  return { host: dialled, port, backend: BACKEND, ...(token === undefined ? {} : { token }) };
}

const gateways = await Promise.all(BINDS.map(({ host, token }) => start(host, token)));
const [seed, cases, lanes] = [Number(values.seed), Number(values.cases), Number(values.lanes)];
const { findings, statuses } = await fuzzPaths({ gateways, seed, cases, lanes });
for (const finding of findings) console.log(`! ${finding}`);
console.log(JSON.stringify({ seed, cases, statuses: Object.fromEntries(statuses) }));
console.log(`${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
