// What a start depends on beside the settings: its folder, its program and what runs that. Told as a text that is another
// one as soon as somebody has installed, removed or mended something.

import { open, stat } from "node:fs/promises";
import type { StdioConfig } from "../config/config.ts";
import { childEnv } from "./child-env.ts";
import { findProgram } from "./find-program.ts";

const FIRST_LINE_BYTES = 256;

export async function startConditions({ argv: [name = ""], cwd, env }: StdioConfig): Promise<string> {
  const where = { cwd: cwd ?? process.cwd(), env: childEnv(env) };
  try {
    const program = await findProgram(name, where);
    const files = [where.cwd, program, await runnerOf(program)];
    return JSON.stringify(await Promise.all(files.map(stateOf)));
  } catch (thrown) {
    return JSON.stringify([await stateOf(where.cwd), String(thrown)]);
  }
}

/** The program that the first line of a script names. */
async function runnerOf(program: string): Promise<string | undefined> {
  await using file = await open(program).catch(() => null);
  if (file === null) return undefined;
  const { buffer } = await file.read(Buffer.alloc(FIRST_LINE_BYTES), 0, FIRST_LINE_BYTES, 0);
  return /^#![ \t]*(\S+)/.exec(buffer.toString())?.[1];
}

async function stateOf(path: string | undefined): Promise<unknown> {
  if (path === undefined) return undefined;
  const found = await stat(path).catch(() => undefined);
  // What is in a folder changes all the time, and is no condition of ours.
  return found?.isDirectory() ? "a folder" : [path, found?.ino, found?.size, found?.ctimeMs];
}
