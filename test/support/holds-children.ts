// A program: starts the fixtures named in its arguments as stdio backends, prints their process ids, and waits to be
// killed, so that a test can see what becomes of the children of a gateway that dies without a word.

import { fixture } from "./fixture.ts";
import { StdioWire } from "./stdio-wire.ts";

const pids: number[] = [];
for (const name of process.argv.slice(2)) {
  const wire = await StdioWire.start(fixture(name));
  await wire.request("initialize");
  pids.push(wire.pid);
}
process.stdout.write(`${JSON.stringify(pids)}\n`);
setInterval(() => {}, 60_000);
