// The command lines of the fixture programs.

import { join } from "node:path";

const FIXTURES = join(import.meta.dir, "..", "fixtures");

/** argv of `test/fixtures/<name>.ts`, run by the Bun that runs the tests. */
export function fixture(name: string, ...args: string[]): string[] {
  return [process.execPath, fixturePath(name), ...args];
}

export function fixturePath(name: string): string {
  return join(FIXTURES, `${name}.ts`);
}

/** The process ids in a STARTS_FILE: one for each start of a fixture that had it in its environment. */
export async function startsIn(path: string): Promise<number[]> {
  const file = Bun.file(path);
  return (await file.exists()) ? (await file.text()).trimEnd().split("\n").map(Number) : [];
}
