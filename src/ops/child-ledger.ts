// Nothing left behind by a gateway that was killed: every child is written down while it runs, and whoever starts next ends
// those whose gateway is gone. A child is known by its number and its start time, and so is a gateway.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Log } from "../log.ts";
import { heldChildren, onHeldChildrenChanged } from "../transport/held-children.ts";
import { endOrphanGroup } from "../transport/process-group.ts";
import { type Place, placeOfProcesses, startOf } from "../transport/process-identity.ts";

/** How long an orphan may take to obey SIGTERM, and then SIGKILL. */
const KILL_MS = 2_000;

const Process = Type.Object({ pid: Type.Integer({ minimum: 2 }), start: Type.String() });
const Page = Type.Object({
  boot: Type.String(),
  namespace: Type.String(),
  gateway: Type.Object({ pid: Type.Integer({ minimum: 1 }), start: Type.String() }),
  children: Type.Array(Process),
});
type Page = Static<typeof Page>;
type Process = Static<typeof Process>;

/** One folder for all gateways of a user, with a page for each that has children. */
export class ChildLedger implements AsyncDisposable {
  readonly #folder: string;
  readonly #log: Log;
  readonly #place: Place = placeOfProcesses();
  readonly #self: Process | undefined;
  /** What was written down, so that a start time is asked for once. */
  readonly #known = new Map<number, string>();
  readonly #listening: Disposable;
  readonly #sweeping: Promise<void>;
  #hasFailed = false;

  /** Writes down from now on, and begins to end what is left of gateways that are gone. */
  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
    const start = startOf(process.pid);
    this.#self = start === undefined ? undefined : { pid: process.pid, start };
    this.#listening = onHeldChildrenChanged(() => this.#write());
    this.#sweeping = this.#self === undefined ? Promise.resolve() : this.#sweep();
  }

  /** Resolves when what was left of others has ended. What this process still has stays written down. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    await this.#sweeping;
  }

  #write(): void {
    if (this.#self === undefined) return;
    const path = join(this.#folder, `${this.#self.pid}-${fileName(this.#self.start)}.json`);
    const children = this.#children();
    try {
      if (children.length === 0) return rmSync(path, { force: true });
      const page: Page = { ...this.#place, gateway: this.#self, children };
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(page), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (thrown) {
      if (!this.#hasFailed) this.#cannotWrite(thrown);
      this.#hasFailed = true;
    }
  }

  #cannotWrite(thrown: unknown): void {
    this.#log.warning(
      "should this gateway be killed, its children may outlive it: they cannot be written down",
      {
        folder: this.#folder,
        error: thrown instanceof Error ? thrown.message : String(thrown),
      },
    );
  }

  #children(): Process[] {
    const pids = heldChildren();
    for (const pid of this.#known.keys()) if (!pids.includes(pid)) this.#known.delete(pid);
    return pids.flatMap((pid) => {
      const start = this.#known.get(pid) ?? startOf(pid);
      if (start === undefined) return [];
      this.#known.set(pid, start);
      return [{ pid, start }];
    });
  }

  async #sweep(): Promise<void> {
    await Promise.all(
      this.#pages().map((path) =>
        this.#settle(path).catch((thrown: unknown) =>
          this.#log.warning("what a killed gateway has left behind cannot be looked at", {
            path,
            error: thrown instanceof Error ? thrown.message : String(thrown),
          }),
        ),
      ),
    );
  }

  #pages(): string[] {
    try {
      return readdirSync(this.#folder)
        .filter((name) => name.endsWith(".json"))
        .map((name) => join(this.#folder, name));
    } catch {
      return []; // Nobody has written anything yet.
    }
  }

  async #settle(path: string): Promise<void> {
    const page = readPage(path);
    // Of another container with the same folder: its processes cannot be seen from here, and it may be alive.
    if (page?.boot === this.#place.boot && page.namespace !== this.#place.namespace) return;
    if (page?.boot === this.#place.boot) {
      if (startOf(page.gateway.pid) === page.gateway.start) return;
      await Promise.all(page.children.map((child) => this.#endOrphan(child, page.gateway.pid)));
    }
    rmSync(path, { force: true });
  }

  async #endOrphan({ pid, start }: Process, gateway: number): Promise<void> {
    if (startOf(pid) !== start) return;
    const isGone = await endOrphanGroup(pid, KILL_MS);
    if (isGone) this.#log.info("ended a child that a killed gateway had left behind", { pid, gateway });
    else this.#log.warning("a child that a killed gateway had left behind cannot be ended", { pid, gateway });
  }
}

/** Undefined where it is no page of ours; then it is of no use to anybody. */
function readPage(path: string): Page | undefined {
  try {
    const page: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Value.Check(Page, page) ? page : undefined;
  } catch {
    return undefined;
  }
}

function fileName(start: string): string {
  return start.replaceAll(/[^\w]+/g, "-");
}
