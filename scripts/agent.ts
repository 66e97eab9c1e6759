// Does the twenty tasks over four real servers through a gateway, and says how each went. Exit code 1 where one did not.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../src/gateway.ts";
import { asBackend, npmServer } from "../test/support/npm-programs.ts";
import { tasksIn } from "./agent-tasks.ts";
import { doTasks, type Turns } from "./agent-turns.ts";

/** Everything happens in a folder that is gone afterwards. */
export async function runAgent(): Promise<Turns[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-gateway-agent-")));
  try {
    const state = join(folder, "state");
    const memory = {
      ...asBackend(npmServer("memory")),
      env: { MEMORY_FILE_PATH: join(folder, "memory.json") },
    };
    const main = join(import.meta.dir, "../src/main.ts");
    const backends = {
      everything: asBackend(npmServer("everything")),
      files: asBackend(npmServer("filesystem", folder)),
      memory,
      demo: asBackend([process.execPath, main, "demo"]),
    };
    await using gateway = await Gateway.start(
      { port: 0, backends },
      { stateFolder: state, cacheFolder: state },
    );
    return await doTasks(`${gateway.url}/mcp`, tasksIn(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const all = await runAgent();
  for (const { task, called, place, isDone, answer } of all) {
    const how = called === undefined ? "no hit could be filled in" : `${called}, hit ${place}`;
    console.log(`${isDone ? "done  " : "FAILED"}  ${task.wish.padEnd(48)}  ${how}`);
    if (!isDone) console.log(answer.replaceAll(/^/gm, "          "));
  }
  const done = all.filter(({ isDone }) => isDone).length;
  console.log(`${done} of ${all.length} tasks done with search and invoke alone`);
  process.exitCode = done === all.length ? 0 : 1;
}
