import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { signAdHoc } from "../../scripts/mach-o.ts";

const CODE_BYTES = 10_000; // two whole pages and a part of one
const LINKEDIT_AT = 32 + 72;
const SIGNATURE_AT = LINKEDIT_AT + 72;

/** The least that can be signed: __TEXT, __LINKEDIT with a stale signature at its end, and who says so. */
function makeExecutable(): Buffer {
  const file = Buffer.alloc(CODE_BYTES + 64, 0xaa);
  file.fill(0, 0, SIGNATURE_AT + 16);
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE(3, 16);
  for (const [at, name, offset, size] of [
    [32, "__TEXT", 0, 8192],
    [LINKEDIT_AT, "__LINKEDIT", 8192, file.length - 8192],
  ] as const) {
    file.writeUInt32LE(0x19, at);
    file.writeUInt32LE(72, at + 4);
    file.write(name, at + 8);
    file.writeBigUInt64LE(BigInt(offset), at + 40);
    file.writeBigUInt64LE(BigInt(size), at + 48);
  }
  file.writeUInt32LE(0x1d, SIGNATURE_AT);
  file.writeUInt32LE(16, SIGNATURE_AT + 4);
  file.writeUInt32LE(CODE_BYTES, SIGNATURE_AT + 8);
  file.writeUInt32LE(64, SIGNATURE_AT + 12);
  return file;
}

test("the signature holds the hash of every page, the last one cut where the code ends", () => {
  const signed = signAdHoc(makeExecutable(), "name");
  const directory = signed.subarray(CODE_BYTES + 20);
  const hashes = directory.subarray(directory.readUInt32BE(16));
  expect(directory.readUInt32BE(28)).toBe(3);
  expect(hashes.length).toBe(3 * 32);
  for (const [page, end] of [4096, 8192, CODE_BYTES].entries()) {
    const hash = createHash("sha256")
      .update(signed.subarray(page * 4096, end))
      .digest("hex");
    expect(hashes.subarray(page * 32, page * 32 + 32).toString("hex")).toBe(hash);
  }
});

test("the load commands name the new signature, up to the end of the file", () => {
  const signed = signAdHoc(makeExecutable(), "name");
  expect(signed.readUInt32LE(SIGNATURE_AT + 8) + signed.readUInt32LE(SIGNATURE_AT + 12)).toBe(signed.length);
  expect(signed.readBigUInt64LE(LINKEDIT_AT + 48)).toBe(BigInt(signed.length - 8192));
  expect(signed.readUInt32BE(CODE_BYTES)).toBe(0xfade0cc0);
  expect(signed.readUInt32BE(CODE_BYTES + 4)).toBe(signed.length - CODE_BYTES);
});

test("signing what is signed changes nothing", () => {
  const signed = signAdHoc(makeExecutable(), "name");
  expect(signAdHoc(signed, "name")).toEqual(signed);
});

test("what is no Mach-O file is refused", () => {
  expect(() => signAdHoc(Buffer.alloc(64), "name")).toThrow("Not a 64-bit Mach-O file");
});
