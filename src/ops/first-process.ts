// As the first process of a container, the gateway becomes the parent of every process whose parent has ended. It must reap
// these orphans, or each leaves a zombie.

import { readdir, readFile } from "node:fs/promises";
import { heldChildren } from "../transport/held-children.ts";
import { type Libc, libc } from "../transport/libc.ts";

/** Bun reaps its own children within milliseconds. A zombie that is older than this is an orphan. */
const PATIENCE_MS = 500;

export class OrphanReaper implements Disposable {
  readonly #libc: Libc;
  readonly #onChildEnded = () => this.#lookSoon();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The zombies that the last search found. */
  #seen: ReadonlySet<number> = new Set();

  /** Undefined unless this is the first process. */
  static async start(): Promise<OrphanReaper | undefined> {
    if (process.platform !== "linux" || process.pid !== 1) return undefined;
    const calls = await libc();
    return calls === undefined ? undefined : new OrphanReaper(calls);
  }

  private constructor(calls: Libc) {
    this.#libc = calls;
    process.on("SIGCHLD", this.#onChildEnded);
    this.#lookSoon();
  }

  [Symbol.dispose](): void {
    process.removeListener("SIGCHLD", this.#onChildEnded);
    clearTimeout(this.#timer);
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => void this.#look(), PATIENCE_MS);
  }

  async #look(): Promise<void> {
    const zombies = await zombiesOf(process.pid);
    const own = new Set(heldChildren().map(({ pid }) => pid));
    const others = zombies.filter((pid) => !own.has(pid));
    for (const pid of others) {
      if (this.#seen.has(pid)) this.#libc.reap(pid);
    }
    this.#timer = undefined;
    const fresh = others.filter((pid) => !this.#seen.has(pid));
    this.#seen = new Set(fresh);
    if (fresh.length > 0) this.#lookSoon();
  }
}

async function zombiesOf(parent: number): Promise<number[]> {
  const zombies: number[] = [];
  for (const name of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // The fields after the name, which is in brackets and may contain anything: state, parent.
    const [state, parentOfEntry] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" && Number(parentOfEntry) === parent) zombies.push(Number(name));
  }
  return zombies;
}
