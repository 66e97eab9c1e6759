// The binary as a systemd service sees its socket: ready when it serves, alive meanwhile, reloading and
// stopping when it is told to.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotifySocket } from "../support/notify-socket.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { waitFor } from "../support/wait-for.ts";

if (process.platform === "linux") {
  test("the binary keeps systemd informed from its start to its end", async () => {
    const path = `@mcp-gateway-test-${crypto.randomUUID()}`;
    using socket = new NotifySocket(path);
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "100000" };
    const gateway = await GatewayRun.start({ config: { backends: {} }, env });
    await waitFor(() => socket.messages().filter((message) => message === "WATCHDOG=1").length >= 3);
    expect(socket.messages()[0]).toBe(`READY=1\nSTATUS=${gateway.url}/mcp, backends: 0`);

    writeFileSync(join(gateway.run.folder, "servers.yaml"), "backends: {new: {command: no-such-program}}\n");
    gateway.run.signal("SIGHUP");
    await waitFor(() => socket.messages().includes(`READY=1\nSTATUS=${gateway.url}/mcp, backends: 1`));
    expect(socket.messages().some((message) => /^RELOADING=1\nMONOTONIC_USEC=\d+$/.test(message))).toBe(true);

    gateway.run.signal("SIGTERM");
    expect(await gateway.run.exited()).toBe(0);
    expect(socket.messages().findLast((message) => message !== "WATCHDOG=1")).toStartWith("STOPPING=1\n");
    await gateway[Symbol.asyncDispose]();
  });

  test("a gateway that cannot listen is never ready", async () => {
    const path = `@mcp-gateway-test-${crypto.randomUUID()}`;
    using socket = new NotifySocket(path);
    await using first = await GatewayRun.start({ config: { backends: {} } });
    const port = new URL(first.url).port;
    const second = GatewayRun.start({
      config: { backends: {} },
      args: ["--port", port],
      env: { NOTIFY_SOCKET: path },
    });
    await expect(second).rejects.toThrow("The gateway did not start");
    expect(socket.messages()).toEqual([]);
  });
} else {
  test("only Linux has systemd", () => expect(process.platform).not.toBe("linux"));
}
