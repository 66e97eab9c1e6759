// Records every child from before its start until nothing of it is left, so that the next gateway can end the children of a
// killed one. A child is identified by its process id and start time; the processes that it started by the inherited mark.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Log } from "../log.ts";
import { readSmallText } from "../small-file.ts";
import { type HeldChild, heldChildren, onHeldChildrenChanged } from "../transport/held-children.ts";
import { MARK, type MarkedProcess, markedProcesses } from "../transport/marked-processes.ts";
import { endOrphanGroup, endStrays } from "../transport/process-group.ts";
import { type Place, placeOfProcesses, startOf } from "../transport/process-identity.ts";

/** How long an orphan may take to obey SIGTERM, and then SIGKILL. */
const KILL_MS = 2_000;
/** A page is the file of one gateway, with about 150 bytes for each child. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

const Child = Type.Object({
  mark: Type.String(),
  /** Not known while it was being started. */
  pid: Type.Optional(Type.Integer({ minimum: 2 })),
  /** Not known where it ended at once; its group may be there all the same. */
  start: Type.Optional(Type.String()),
  keepsDetached: Type.Optional(Type.Boolean()),
});
const Page = Type.Object({
  boot: Type.String(),
  namespace: Type.String(),
  gateway: Type.Object({ pid: Type.Integer({ minimum: 1 }), start: Type.String() }),
  children: Type.Array(Child),
});
type Page = Static<typeof Page>;
type Child = Static<typeof Child>;

/** One folder for all gateways of a user, with a page for each that has children. */
export class ChildLedger implements AsyncDisposable {
  readonly #folder: string;
  readonly #log: Log;
  readonly #place: Place = placeOfProcesses();
  readonly #self: Page["gateway"] | undefined;
  /** What was written down, by mark, so that a start time is asked for once. */
  #known = new Map<string, Child>();
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
      // An existing file is left over from a crash or a full disk, or is no regular file: writing into a FIFO would block.
      rmSync(`${path}.new`, { force: true });
      if (children.length === 0) return rmSync(path, { force: true });
      const page: Page = { ...this.#place, gateway: this.#self, children };
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, JSON.stringify(page), { mode: 0o600, flag: "wx" });
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

  #children(): Child[] {
    const children = heldChildren().map((child) => this.#known.get(child.mark) ?? written(child));
    this.#known = new Map(
      children.filter(({ pid }) => pid !== undefined).map((child) => [child.mark, child]),
    );
    return children;
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
      const marked = await markedProcesses();
      // This process itself may have been started by such a child.
      const children = page.children.filter(({ mark }) => mark !== process.env[MARK]);
      const ofChild = (child: Child) => marked.filter(({ mark }) => mark === child.mark);
      await Promise.all(children.map((child) => this.#endOrphan(child, ofChild(child), page.gateway.pid)));
    }
    rmSync(path, { force: true });
  }

  async #endOrphan(child: Child, marked: readonly MarkedProcess[], gateway: number): Promise<void> {
    const groups = groupsOf(child, new Set(marked.map(({ group }) => group)));
    const strays = child.keepsDetached === true ? [] : marked;
    if (groups.length + strays.length === 0) return;
    const ends = groups.map((group) => endOrphanGroup(group, KILL_MS));
    if (strays.length > 0) ends.push(endStrays(child.mark, KILL_MS));
    const areGone = (await Promise.all(ends)).every(Boolean);
    const about = { pid: child.pid ?? groups[0] ?? strays[0]?.pid, gateway };
    if (areGone) this.#log.info("ended a child that a killed gateway had left behind", about);
    else this.#log.warning("a child that a killed gateway had left behind cannot be ended", about);
  }
}

function written({ pid, mark, keepsDetached }: HeldChild): Child {
  const start = pid === undefined ? undefined : startOf(pid);
  return {
    mark,
    ...(pid === undefined ? {} : { pid }),
    ...(start === undefined ? {} : { start }),
    ...(keepsDetached ? { keepsDetached } : {}),
  };
}

/** What is left of a child, and surely not another's: a number is not given away while its group has members. */
function groupsOf({ pid, start }: Child, marked: ReadonlySet<number>): number[] {
  if (pid === undefined) return [...marked];
  const isLeaderHere = start !== undefined && startOf(pid) === start;
  return isLeaderHere || marked.has(pid) ? [pid] : [];
}

/** Undefined where it is no page of ours; then it is of no use to anybody. */
function readPage(path: string): Page | undefined {
  try {
    const page: unknown = JSON.parse(readSmallText(path, MAX_PAGE_BYTES));
    return Value.Check(Page, page) ? page : undefined;
  } catch {
    return undefined;
  }
}

function fileName(start: string): string {
  return start.replaceAll(/[^\w]+/g, "-");
}
