// What may stand in the place of a small file and must neither block its reader nor fill the memory.

import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync } from "node:fs";

export interface UnfitFile {
  readonly what: string;
  /** Part of the reason that a person is told. */
  readonly why: RegExp;
  /** Puts it at a path where nothing stands yet. */
  readonly put: (path: string) => void;
}

/** On POSIX systems. */
export const UNFIT_FILES: readonly UnfitFile[] = [
  { what: "a FIFO", why: /not a regular file/, put: makeFifo },
  { what: "/dev/zero", why: /not a regular file/, put: (path) => symlinkSync("/dev/zero", path) },
  { what: "a directory", why: /it is a directory/, put: (path) => mkdirSync(path) },
  { what: "a loop of links", why: /ELOOP/, put: (path) => symlinkSync(path, path) },
  { what: "a file of 1 GiB", why: /larger than/, put: (path) => makeSparse(path, 1024 ** 3) },
];

function makeFifo(path: string): void {
  const { exitCode } = Bun.spawnSync(["mkfifo", path]);
  if (exitCode !== 0) throw new Error(`mkfifo failed: ${exitCode}`);
}

function makeSparse(path: string, bytes: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
}
