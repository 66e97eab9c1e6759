// The process groups in which something carries the mark of a child of ours: a group whose leader is gone is known by
// those who are left in it, for they have inherited its environment, and nobody else can have it.

import { readdir, readFile } from "node:fs/promises";
import { MARK } from "./held-children.ts";

/** Groups by mark, of all processes whose environment we may read. Empty on Windows, which has no groups. */
export async function markedGroups(
  platform: NodeJS.Platform = process.platform,
): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>();
  if (platform === "win32") return found;
  for await (const [group, mark] of platform === "linux" ? inProc() : inPs()) {
    const groups = found.get(mark) ?? new Set();
    found.set(mark, groups.add(group));
  }
  return found;
}

async function* inProc(): AsyncGenerator<[group: number, mark: string]> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // Somebody else's, or gone by now.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const variable = environment.split("\0").find((text) => text.startsWith(`${MARK}=`));
    if (variable === undefined) continue;
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // After the name, which is in brackets and may hold anything: state, parent, group.
    const group = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
    if (group > 1) yield [group, variable.slice(MARK.length + 1)];
  }
}

/** Programs that the system protects do not show their environment here; then nothing is known of them. */
async function* inPs(): AsyncGenerator<[group: number, mark: string]> {
  const { stdout } = Bun.spawn(["ps", "axeww", "-o", "pgid=,command="], {
    env: { LC_ALL: "C", PATH: "/bin:/usr/bin" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const line = new RegExp(String.raw`^ *(\d+) .* ${MARK}=([0-9a-f-]+)(?: |$)`);
  for (const text of (await stdout.text()).split("\n")) {
    const [, group, mark] = line.exec(text) ?? [];
    if (Number(group) > 1 && mark !== undefined) yield [Number(group), mark];
  }
}
