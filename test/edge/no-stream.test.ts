// A client that does not list text/event-stream is sent none, and told so where there is no other answer.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/index.ts";
import { postModern } from "./modern-post.ts";

test("a subscription needs a stream", async () => {
  await using owned = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "no-stream-"));
  owned.defer(() => rmSync(folder, { recursive: true }));
  const folders = { stateFolder: folder, cacheFolder: folder };
  const gateway = owned.use(await Gateway.start({ port: 0, backends: {} }, folders));
  const filter = { notifications: { promptsListChanged: true } };
  const headers = { accept: "application/json" };
  const refused = await postModern(`${gateway.url}/mcp`, "subscriptions/listen", filter, { headers });
  expect(refused.status).toBe(406);
  expect(await refused.json()).toMatchObject({
    id: 1,
    error: { message: expect.stringContaining("text/event-stream") },
  });
});
