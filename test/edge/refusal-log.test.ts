// The log of refused requests: bounded in lines, and it says how many it left out.

import { expect, test } from "bun:test";
import { RefusalLog } from "../../src/edge/refusal-log.ts";
import { recordLog } from "../support/log-recorder.ts";

test("says in a later minute how many it left out", () => {
  const { log, lines } = recordLog();
  let nowMs = 0;
  const refusals = new RefusalLog(log, () => nowMs);
  const headers = new Headers({ host: "h".repeat(500), authorization: "Bearer a-wrong-token" });
  const refused = { method: "GET", route: "/status", why: "no token", headers, address: "10.0.0.7" };
  for (let n = 0; n < 50; n++) refusals.add(refused);
  expect(lines).toHaveLength(20);
  nowMs = 60_000;
  refusals.add(refused);
  refusals.add(refused);
  expect(lines[20]).toMatchObject({
    route: "/status",
    why: "no token",
    address: "10.0.0.7",
    others_not_logged: 30,
  });
  expect(lines[21]).not.toHaveProperty("others_not_logged");
  expect(lines[20]?.host).toBe("h".repeat(120));
  expect(JSON.stringify(lines)).not.toContain("a-wrong-token");
});
