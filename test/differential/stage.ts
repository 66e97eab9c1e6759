// What a row is played on: a reference backend of its own, and where it goes through the gateway, that as well.
// Nothing is shared, so what one row does to the state of a backend does not show in another.

import type { Era } from "../../src/protocol/call.ts";
import { BACKENDS, type BackendName } from "../conformance/rows.ts";
import { referenceCommand, startReference } from "../fixtures/reference/start.ts";
import { findBinary } from "../support/binary.ts";
import { GatewayRun, type Settings } from "../support/run-gateway.ts";
import { type Place, type Recording, record } from "./recording.ts";
import type { Direct, Row } from "./rows.ts";

/** Small enough that every list has several pages. */
const FLAGS = ["--page-size", "25", "--name", "reference"];
const NAME = "reference";

/** Recordings of what clients hear of a backend itself, each made once. */
export class DirectRecordings {
  readonly #made = new Map<string, Promise<Recording>>();

  get({ backend, era }: Direct): Promise<Recording> {
    const key = `${backend} ${era}`;
    const made = this.#made.get(key) ?? recordDirect(backend, era);
    this.#made.set(key, made);
    return made;
  }
}

async function recordDirect(backend: BackendName, era: Era): Promise<Recording> {
  const { wire, eras } = BACKENDS[backend];
  if (wire === "stdio")
    return record(era, { kind: "stdio", program: { command: referenceCommand(eras, FLAGS) } });
  await using reference = await startReference(wire, eras, FLAGS);
  return await record(era, { kind: wire, url: reference.url });
}

export async function recordThrough({ backend, era, way }: Row): Promise<Recording> {
  await using owned = new AsyncDisposableStack();
  const entry = await backendEntry(backend, owned);
  const gateway = owned.use(await GatewayRun.start({ config: { backends: { [NAME]: entry } } }));
  return await record(
    era,
    await placeOf(way, gateway),
    BACKENDS[backend].eras === "legacy" ? "legacy" : "modern",
  );
}

async function placeOf(way: Row["way"], { url, run }: GatewayRun): Promise<Place> {
  if (way === "http") return { kind: "http", url: `${url}/mcp/${NAME}` };
  if (way === "sse") return { kind: "sse", url: `${url}/${NAME}/sse` };
  const config = `${run.folder}/servers.yaml`;
  const command = [await findBinary(), "stdio", "-c", config, "--backend", NAME, "--log-level", "WARNING"];
  const own = {
    HOME: run.folder,
    XDG_STATE_HOME: `${run.folder}/face`,
    XDG_CACHE_HOME: `${run.folder}/face`,
  };
  return { kind: "stdio", program: { command, env: { ...process.env, ...own } } };
}

async function backendEntry(name: BackendName, owned: AsyncDisposableStack): Promise<Settings> {
  const { wire, eras } = BACKENDS[name];
  if (wire !== "stdio") return { http_url: owned.use(await startReference(wire, eras, FLAGS)).url };
  const [command, ...args] = referenceCommand(eras, FLAGS);
  return { command, args };
}
