// Signs a macOS executable ad hoc, anywhere. Knows the Mach-O load commands that a signature touches, no more.
// The layout is that of XNU's cs_blobs.h; a linker signs its output in the same way.

import { createHash } from "node:crypto";

const PAGE_BYTES = 4096;
const HASH_BYTES = 32;
const SUPER_BLOB_BYTES = 20; // its header, and an index of one
const DIRECTORY_BYTES = 88; // the header of a code directory of version 0x20400

interface Layout {
  /** Where each load command starts in the file. */
  signature: number;
  text: number;
  linkedit: number;
}

/** Replaces the signature that the executable carries, and has to carry, by one of its bytes as they are. */
export function signAdHoc(executable: Buffer, identifier: string): Buffer {
  const { signature, text, linkedit } = readLayout(executable);
  const codeBytes = executable.readUInt32LE(signature + 8);
  const pages = Math.ceil(codeBytes / PAGE_BYTES);
  const hashOffset = DIRECTORY_BYTES + identifier.length + 1;
  const directoryBytes = hashOffset + pages * HASH_BYTES;
  const signatureBytes = SUPER_BLOB_BYTES + directoryBytes;

  const signed = Buffer.alloc(codeBytes + signatureBytes);
  executable.copy(signed, 0, 0, codeBytes);
  signed.writeUInt32LE(signatureBytes, signature + 12);
  const linkeditBytes = signed.length - Number(signed.readBigUInt64LE(linkedit + 40));
  signed.writeBigUInt64LE(BigInt(linkeditBytes), linkedit + 48);
  signed.writeBigUInt64LE(BigInt(Math.ceil(linkeditBytes / PAGE_BYTES) * PAGE_BYTES), linkedit + 32);

  const superBlob = signed.subarray(codeBytes);
  writeUInt32s(superBlob, [0xfade0cc0, signatureBytes, 1, 0, SUPER_BLOB_BYTES]);
  const directory = superBlob.subarray(SUPER_BLOB_BYTES);
  // magic, length, version, flags (ad hoc, by a linker), where hashes and identifier start, how many slots
  writeUInt32s(directory, [
    0xfade0c02,
    directoryBytes,
    0x20400,
    0x20002,
    hashOffset,
    DIRECTORY_BYTES,
    0,
    pages,
  ]);
  // code limit; hash size, SHA-256, platform, log2 of the page size
  writeUInt32s(directory.subarray(32), [codeBytes, (HASH_BYTES << 24) | (2 << 16) | Math.log2(PAGE_BYTES)]);
  directory.writeBigUInt64BE(signed.readBigUInt64LE(text + 40), 64);
  directory.writeBigUInt64BE(signed.readBigUInt64LE(text + 48), 72);
  directory.writeBigUInt64BE(1n, 80); // the main binary of a process
  directory.write(identifier, DIRECTORY_BYTES, "latin1");
  for (let page = 0; page < pages; page++) {
    const bytes = signed.subarray(page * PAGE_BYTES, Math.min((page + 1) * PAGE_BYTES, codeBytes));
    createHash("sha256")
      .update(bytes)
      .digest()
      .copy(directory, hashOffset + page * HASH_BYTES);
  }
  return signed;
}

function writeUInt32s(target: Buffer, values: number[]): void {
  for (const [index, value] of values.entries()) target.writeUInt32BE(value, index * 4);
}

function readLayout(executable: Buffer): Layout {
  if (executable.readUInt32LE(0) !== 0xfeedfacf) throw new Error("Not a 64-bit Mach-O file.");
  const layout: Partial<Layout> = {};
  let at = 32;
  for (let left = executable.readUInt32LE(16); left > 0; left--) {
    const command = executable.readUInt32LE(at);
    const segment = executable.toString("latin1", at + 8, at + 24).replace(/\0+$/, "");
    if (command === 0x1d) layout.signature = at;
    if (command === 0x19 && segment === "__TEXT") layout.text = at;
    if (command === 0x19 && segment === "__LINKEDIT") layout.linkedit = at;
    at += executable.readUInt32LE(at + 4);
  }
  const { signature, text, linkedit } = layout;
  if (signature === undefined || text === undefined || linkedit === undefined) {
    throw new Error("The executable has no place for a signature.");
  }
  return { signature, text, linkedit };
}
