// No global function is used for the first time while a gateway serves: each would undo compiled code.

import { expect, test } from "bun:test";
import { join } from "node:path";

const PROCESS = join(import.meta.dir, "full-speed-process.ts");

test("global functions are known before the first message", async () => {
  const names = ["isNaN", "decodeURI", "structuredClone"];
  const child = Bun.spawn([process.execPath, PROCESS, ...names], { stdio: ["ignore", "pipe", "inherit"] });
  expect(JSON.parse(await child.stdout.text())).toEqual({ before: [], after: names });
});
