// Reads a small file safely: a FIFO, a device or an endless file in its place neither blocks the event loop nor fills the
// memory.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** Without this flag, opening a FIFO waits for a writer. Windows has neither the flag nor such files. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** An existing file that must not be read, with the reason. */
export class UnfitFileError extends Error {
  readonly code: "EISDIR" | "ENOTFILE" | "EFBIG";

  constructor(code: UnfitFileError["code"], why: string) {
    super(why);
    this.name = "UnfitFileError";
    this.code = code;
  }
}

/** Throws UnfitFileError if it is no regular file of at most `maxBytes`, and the system's errors. */
export function readSmallFile(path: string, maxBytes: number): Buffer {
  const file = openSync(path, FLAGS);
  try {
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw new UnfitFileError("EISDIR", "it is a directory");
    if (!stats.isFile()) throw new UnfitFileError("ENOTFILE", "it is not a regular file");
    if (stats.size > maxBytes) throw tooLarge(maxBytes);
    return readAll(file, stats.size, maxBytes);
  } finally {
    closeSync(file);
  }
}

/** The same as text. */
export function readSmallText(path: string, maxBytes: number): string {
  return readSmallFile(path, maxBytes).toString("utf8");
}

/** Reads up to the limit: a file may grow while it is read, and files of /proc have no size. */
function readAll(file: number, size: number, maxBytes: number): Buffer {
  let buffer = Buffer.allocUnsafe(Math.min(size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
    if (length > maxBytes) throw tooLarge(maxBytes);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes + 1));
  }
}

function tooLarge(maxBytes: number): UnfitFileError {
  const limit = maxBytes >= 1024 * 1024 ? `${maxBytes / 1024 / 1024} MiB` : `${maxBytes / 1024} KiB`;
  return new UnfitFileError("EFBIG", `it is larger than ${limit}`);
}
