// Sealed text comes back as it was, or not at all.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Seal } from "../../src/edge/seal.ts";

const key = Buffer.alloc(32, 7);
const seal = new Seal(key, "test");

test("gives back what it closed", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      expect(seal.open(seal.close(payload))).toEqual(JSON.parse(JSON.stringify(payload)));
    }),
  );
});

test("closes into text that fits into a header", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      expect(seal.close(payload)).toMatch(/^[\w-]+\.[\w-]{24}$/);
    }),
  );
});

describe("does not open", () => {
  test("what another key or another purpose closed", () => {
    const text = seal.close({ secret: 1 });
    expect(new Seal(Buffer.alloc(32, 8), "test").open(text)).toBeUndefined();
    expect(new Seal(key, "another").open(text)).toBeUndefined();
    expect(new Seal(key, "test").open(text)).toEqual({ secret: 1 });
  });

  test("text with one character changed, added or taken away", () => {
    const text = seal.close({ n: "payload", p: "local" });
    const changes = fc.tuple(
      fc.nat({ max: text.length - 1 }),
      fc.constantFrom("", "A", "b", "-", "_", ".", "=", "+", "/", " ", "\n", "ü"),
      fc.boolean(),
    );
    fc.assert(
      fc.property(changes, ([at, character, isInsertion]) => {
        const changed = text.slice(0, at) + character + text.slice(isInsertion ? at : at + 1);
        fc.pre(changed !== text);
        expect(seal.open(changed)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test("other spellings of the same bytes: each payload has one text", () => {
    const spelled = (payload: object) => {
      const text = seal.close(payload);
      const [body = "", signature = ""] = text.split(".");
      const plain = `${body}.${signature.replaceAll("-", "+").replaceAll("_", "/")}`;
      return [
        `${text}=`,
        `${text} `,
        `${body}. ${signature}`,
        `${text}==`,
        ...(plain === text ? [] : [plain]),
      ];
    };
    const all = Array.from({ length: 50 }, (_, n) => spelled({ n })).flat();
    expect(all.length).toBeGreaterThan(200);
    for (const text of all) expect(seal.open(text), text).toBeUndefined();
  });

  test("anything else", () => {
    fc.assert(fc.property(fc.string(), (text) => expect(seal.open(text)).toBeUndefined()));
    for (const text of ["", ".", "e30.", ".e30", "e30"]) expect(seal.open(text)).toBeUndefined();
  });
});
