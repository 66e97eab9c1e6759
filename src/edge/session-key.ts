// The key that session ids are signed with, kept so that they hold over restarts.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { randomBytes } from "../digest.ts";
import { readSmallText } from "../small-file.ts";

const KEY_BYTES = 32;
const MAX_FILE_BYTES = 4 * 1024;

/** Reads the key, or makes it (mode 0600) where there is none. Rejects where the file can be neither read nor written. */
export async function loadSessionKey(path: string): Promise<Buffer> {
  const known = readKey(path);
  if (known !== undefined) return known;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const key = randomBytes(KEY_BYTES);
  try {
    // `wx`: of two gateways that start at once, one writes and the other reads.
    await writeFile(path, key.toString("base64url"), { mode: 0o600, flag: "wx" });
    return key;
  } catch (thrown) {
    const written = readKey(path);
    if (written !== undefined) return written;
    // There is a file, but no key in it: a crash came between. It is made anew.
    await writeFile(path, key.toString("base64url"), { mode: 0o600 });
    await chmod(path, 0o600);
    if (!(thrown instanceof Error)) throw thrown;
    return key;
  }
}

function readKey(path: string): Buffer | undefined {
  try {
    const key = Buffer.from(readSmallText(path, MAX_FILE_BYTES).trim(), "base64url");
    return key.length >= KEY_BYTES ? key : undefined;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
}
