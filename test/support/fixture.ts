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
