// A program: keeps a ledger of children in the folder that it is given, starts one, prints its process id, and is killed
// before it can write that down.

import { writeSync } from "node:fs";
import { silentLog } from "../../src/log.ts";
import { ChildLedger } from "../../src/ops/child-ledger.ts";
import { holdChild } from "../../src/transport/held-children.ts";
import { MARK } from "../../src/transport/marked-processes.ts";

await using _ledger = new ChildLedger(process.argv[2] ?? "", silentLog);
holdChild((mark) => {
  const sleeper = [process.execPath, "-e", "setInterval(() => {}, 60_000)"];
  const child = Bun.spawn(sleeper, { detached: true, env: { [MARK]: mark } });
  writeSync(1, String(child.pid));
  process.kill(process.pid, "SIGKILL");
  return child;
});
