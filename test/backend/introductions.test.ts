// What a server says of itself is anything at all until it has been looked at.

import { expect, test } from "bun:test";
import { fromDiscover } from "../../src/backend/introductions.ts";
import { GatewayError } from "../../src/protocol/errors.ts";

test("a server that speaks no revision of ours is refused in words, whatever it lists", () => {
  const supportedVersions = ["2030-01-01", { toString: null }, [[{ toString: 1 }]], null];
  const read = () => fromDiscover("odd", "2026-07-28", { supportedVersions, capabilities: {} });
  expect(read).toThrow(GatewayError);
  expect(read).toThrow("odd: the server speaks 2030-01-01, none of which this gateway knows");
});
