// A program and what a test runs a part of: edits the configuration of a running gateway while clients call, and counts
// every call that failed. In full: bun test/reload/under-load.ts

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

export interface LoadOptions {
  readonly edits: number;
  readonly clients: number;
}

export interface LoadReport {
  readonly edits: number;
  readonly clients: number;
  /** Calls on backends that no edit touched, and on those that were edited all the time. */
  readonly steady: Tally;
  readonly changing: Tally;
  /** Process ids of the steady backends, at the beginning and at the end. */
  readonly pidsBefore: readonly string[];
  readonly pidsAfter: readonly string[];
  readonly processesLeft: number;
  readonly seconds: number;
}

export interface Tally {
  calls: number;
  readonly failures: string[];
}

const STEADY = ["steady1", "steady2"];
const healthy = asBackend(fixture("healthy"));

/** A run of the gateway, and what its file says now. */
class EditedGateway {
  readonly gateway: GatewayRun;
  readonly #path: string;
  #edits = 0;

  constructor(gateway: GatewayRun) {
    this.gateway = gateway;
    this.#path = join(gateway.run.folder, "servers.yaml");
  }

  /** In place and by rename, in turn; resolves when it was taken up. */
  async edit(): Promise<void> {
    this.#edits += 1;
    const config = JSON.parse(readFileSync(this.#path, "utf8"));
    const { changing, comes, ...others } = config.backends;
    const edited = { ...changing, env: { ...changing.env, VERSION: String(this.#edits) } };
    const guest = comes === undefined ? { comes: edited } : {};
    const text = JSON.stringify({ ...config, backends: { ...guest, ...others, changing: edited } });
    if (this.#edits % 2 === 0) writeFileSync(this.#path, text);
    else {
      writeFileSync(`${this.#path}.new`, text);
      renameSync(`${this.#path}.new`, this.#path);
    }
    await waitFor(() => this.#takenUp === this.#edits, { what: `edit ${this.#edits} to be taken up` });
  }

  get #takenUp(): number {
    return this.gateway.stderr.split("took up the new configuration").length - 1;
  }
}

export async function reloadUnderLoad({ edits, clients }: LoadOptions): Promise<LoadReport> {
  const startedMs = performance.now();
  const config = { backends: { steady1: healthy, steady2: healthy, changing: healthy } };
  await using gateway = await GatewayRun.start({ config });
  const edited = new EditedGateway(gateway);
  const steady: Tally = { calls: 0, failures: [] };
  const changing: Tally = { calls: 0, failures: [] };
  const pidsBefore = await pids(gateway);
  const over = new AbortController();
  const calling = Array.from({ length: clients }, (_, index) =>
    call(gateway.url, index, { steady, changing, over: over.signal }),
  );
  for (let count = 0; count < edits; count += 1) await edited.edit();
  over.abort();
  await Promise.all(calling);
  const pidsAfter = await pids(gateway);
  // The steady ones, and the changing one where it was called last.
  await waitFor(() => gateway.run.children.length <= 3, { what: "the replaced processes to end" });
  const processesLeft = gateway.run.children.length;
  const seconds = (performance.now() - startedMs) / 1000;
  return { edits, clients, steady, changing, pidsBefore, pidsAfter, processesLeft, seconds };
}

async function pids({ url }: GatewayRun): Promise<string[]> {
  await using sdk = await SdkClient.connect(`${url}/mcp`);
  return await Promise.all(STEADY.map((server) => sdk.invoke(server, "pid")));
}

/** One client: some on a backend's own route, some by the meta-tools, and one in four on what is being edited. */
async function call(
  url: string,
  index: number,
  { steady, changing, over }: { steady: Tally; changing: Tally; over: AbortSignal },
): Promise<void> {
  const isOnChanging = index % 4 === 3;
  const server = isOnChanging ? "changing" : (STEADY[index % 2] ?? "");
  const isDirect = index % 8 < 4;
  const tally = isOnChanging ? changing : steady;
  await using sdk = await SdkClient.connect(isDirect ? `${url}/mcp/${server}` : `${url}/mcp`);
  for (let count = 0; !over.aborted; count += 1) {
    const text = `${index}-${count}`;
    const args = count % 5 === 0 ? { ms: 50, text } : { text };
    const tool = count % 5 === 0 ? "slow" : "echo";
    tally.calls += 1;
    try {
      const said = await (isDirect ? sdk.text(tool, args) : sdk.invoke(server, tool, args));
      if (said !== text) tally.failures.push(`${server}: ${said} in place of ${text}`);
    } catch (thrown) {
      tally.failures.push(`${server}: ${String(thrown)}`);
    }
    await Bun.sleep(5);
  }
}

if (import.meta.main) {
  const { steady, changing, ...rest } = await reloadUnderLoad({ edits: 100, clients: 20 });
  const summary = ({ calls, failures }: Tally) => ({
    calls,
    failed: failures.length,
    samples: failures.slice(0, 5),
  });
  console.log(JSON.stringify({ ...rest, steady: summary(steady), changing: summary(changing) }, null, 2));
  process.exitCode = steady.failures.length === 0 ? 0 : 1;
}
