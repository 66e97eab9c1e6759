// A client reports on its way to an answer, if the server wants that; it reaches the server with the server's own token.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { Gateway } from "../../src/index.ts";
import { fixture } from "../support/fixture.ts";
import { SdkClient } from "../support/sdk-client.ts";

test("of a question, and of no question of another client", async () => {
  await using owned = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "question-progress-"));
  owned.defer(() => rmSync(folder, { recursive: true }));
  const [command = "", ...args] = fixture("asks-client");
  const backends = { asks: { command, args } };
  const gateway = owned.use(
    await Gateway.start({ port: 0, backends }, { stateFolder: folder, cacheFolder: folder }),
  );
  const asked = owned.use(await SdkClient.connect(`${gateway.url}/mcp/asks`));
  const other = owned.use(await SdkClient.connect(`${gateway.url}/mcp/asks`));
  const progress = { progressToken: "server-1", progress: 1, message: "thinking" };
  asked.client.setRequestHandler(CreateMessageRequestSchema, async () => {
    const forged = { ...progress, message: "forged" };
    await other.client.notification({ method: "notifications/progress", params: forged });
    await asked.client.notification({ method: "notifications/progress", params: progress });
    return { role: "assistant", model: "m", content: { type: "text", text: "thought" } };
  });
  const params = { messages: [], maxTokens: 1, _meta: { progressToken: progress.progressToken } };
  const answer = await asked.text("ask", { method: "sampling/createMessage", params });
  expect(answer).toContain("thought");
  expect(JSON.parse(await asked.text("reported"))).toEqual([progress]);
});
