// The rules that every request to a configured URL keeps: redirects, credentials, time, proxies.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { SendError } from "../../src/transport/transport.ts";
import { answer, json, MockServer, type Seen } from "../support/mock-server.ts";
import { UrlWire } from "../support/url-wire.ts";

function redirect(status: number, location: string): Response {
  return new Response("moved", { status, headers: { Location: location } });
}

/** /mcp redirects with `status` to `location`; everything else answers. */
function moved(status: number, location: string): (seen: Seen) => Response {
  return (seen) => (seen.url.pathname === "/mcp" ? redirect(status, location) : json(answer(seen)));
}

const secrets = { Authorization: "Bearer secret-token" };

describe("redirects", () => {
  test.each([301, 302, 307, 308])(
    "with %p within the origin are followed, as the POST that they are",
    async (status) => {
      await using server = MockServer.start(moved(status, "/mcp/?a=1"));
      await using wire = await UrlWire.start(server.url, { headers: secrets });
      await wire.request("tools/list", { x: 1 });
      expect(server.seen.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
        "POST /mcp",
        "POST /mcp/?a=1",
      ]);
      expect(server.seen[1]?.body).toEqual({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { x: 1 } });
      expect(server.seen[1]?.headers.get("authorization")).toBe("Bearer secret-token");
    },
  );

  test("keep credentials that came from the URL", async () => {
    await using server = MockServer.start((seen) => moved(307, `http://${seen.url.host}/mcp/`)(seen));
    await using wire = await UrlWire.start(server.url.replace("//", "//user:pass@"));
    await wire.request("tools/list");
    expect(server.seen.map(({ headers }) => headers.get("authorization"))).toEqual(
      Array(2).fill(`Basic ${btoa("user:pass")}`),
    );
  });

  test.each([307, 302])("to another origin (%p) are refused, and nothing is sent there", async (status) => {
    await using thief = MockServer.start((seen) => json(answer(seen)));
    await using server = MockServer.start(moved(status, `${thief.origin}/mcp?key=secret`));
    await using wire = await UrlWire.start(server.url, { headers: secrets });
    const error = await wire.ask("tools/list").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SendError);
    expect(error).toMatchObject({
      maybeDelivered: false,
      status,
      message:
        `POST ${server.url} was answered with a redirect (${status}) to another origin, ${thief.origin}. It was not ` +
        "followed, as the headers of this backend must not go there. If that is the right place, put it into http_url.",
    });
    expect(thief.seen).toEqual([]);
  });

  test("that would turn a POST into a GET are refused", async () => {
    await using server = MockServer.start(moved(303, "/other"));
    await using wire = await UrlWire.start(server.url);
    const error = await wire.ask("tools/list").catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("turns it into a GET, which loses the message");
    expect(server.seen).toHaveLength(1);
  });

  test("in a circle end", async () => {
    await using server = MockServer.start(() => redirect(307, "/mcp"));
    await using wire = await UrlWire.start(server.url);
    const error = await wire.ask("tools/list").catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("the server seems to send it in a circle");
    expect(server.seen).toHaveLength(6);
  });

  test("to something that is no URL are refused", async () => {
    await using server = MockServer.start(moved(307, "http://[nowhere"));
    await using wire = await UrlWire.start(server.url);
    const error = await wire.ask("tools/list").catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("to something that is no URL");
  });
});

describe("in an environment of its own", () => {
  const program = join(import.meta.dir, "../fixtures/asks-slow-server.ts");

  async function run(env: Record<string, string>): Promise<{ output: string; code: number }> {
    const child = Bun.spawn([process.execPath, program], {
      env: { ...process.env, ...env },
      stdout: "pipe",
      stderr: "inherit",
    });
    return { output: await child.stdout.text(), code: await child.exited };
  }

  test("no silence is too long, of a response's head, body or stream, where a plain fetch gives up", async () => {
    // Bun's own limit on silence, 5 minutes, brought down to one second for this process.
    const { output, code } = await run({ BUN_CONFIG_HTTP_IDLE_TIMEOUT: "1" });
    expect(output.trim().split("\n").sort()).toEqual([
      "plain fetch: TimeoutError",
      "slow body: answered",
      "slow head: answered",
      "slow stream: answered",
    ]);
    expect(code).toBe(0);
  }, 60_000);

  test("a proxy from the environment is not asked for what is on this machine", async () => {
    const nowhere = "http://127.0.0.1:1";
    const env = { HTTP_PROXY: nowhere, http_proxy: nowhere, NO_PROXY: "", no_proxy: "" };
    const { output } = await run(env);
    expect(output.trim().split("\n").sort()).toEqual([
      "plain fetch: TypeError",
      "slow body: answered",
      "slow head: answered",
      "slow stream: answered",
    ]);
  }, 60_000);
});

describe("the way to a server", () => {
  /** By fetch a server is told which compressions we read; by sockets of ours, that we want none. */
  test.each([
    ["127.0.0.1", "identity"],
    ["localhost", "identity"],
    ["0.0.0.0", "gzip, deflate, br, zstd"],
  ])("%s: %p", async (host, encodings) => {
    await using server = MockServer.start((seen) => json(answer(seen)));
    await using wire = await UrlWire.start(server.url.replace("127.0.0.1", host));
    await wire.request("ping");
    expect(server.seen[0]?.headers.get("accept-encoding")).toBe(encodings);
    expect(server.seen[0]?.headers.get("user-agent")).toMatch(/^mcp-gateway\/\d/);
  });
});
