// What a server says of itself is anything at all until it has been looked at.

import { expect, test } from "bun:test";
import { fromDiscover, fromInitialize } from "../../src/backend/introductions.ts";
import { GatewayError } from "../../src/protocol/errors.ts";

test("a server that speaks no revision of ours is refused in words, whatever it lists", () => {
  const supportedVersions = ["2030-01-01", { toString: null }, [[{ toString: 1 }]], null];
  const read = () => fromDiscover("odd", "2026-07-28", { supportedVersions, capabilities: {} });
  expect(read).toThrow(GatewayError);
  expect(read).toThrow("odd: the server speaks 2030-01-01, none of which this gateway knows");
});

test.each([
  undefined,
  7,
  "",
  "2025-06-18\u0000",
  "2025-06-18\r\nX: y",
  "2025 06",
  "ä",
  "1".repeat(65),
  "2026-07-28",
])(
  "initialize answered with the revision %p is refused: it could not travel in a header, or has no initialize",
  (protocolVersion) => {
    const read = () => fromInitialize("odd", { protocolVersion, capabilities: {} });
    expect(read).toThrow(GatewayError);
    expect(read).toThrow("odd: the server answered initialize without a usable protocolVersion.");
  },
);

test("a revision that nobody has heard of may be one", () => {
  expect(fromInitialize("odd", { protocolVersion: "DRAFT-2025-v2" }).revision).toBe("DRAFT-2025-v2");
});
