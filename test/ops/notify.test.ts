// What systemd hears, at a real datagram socket. On systems without systemd there is nobody to tell, and that is tested.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectNotifier } from "../../src/ops/notify.ts";
import { recordLog } from "../support/log-recorder.ts";
import { NotifySocket } from "../support/notify-socket.ts";
import { waitFor } from "../support/wait-for.ts";

const folder = mkdtempSync(join(tmpdir(), "notify-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("without a socket nobody is told anything, and nothing fails", async () => {
  const recorder = recordLog();
  using notifier = await connectNotifier(recorder.log, {});
  notifier.ready("serving");
  notifier.reloading();
  notifier.stopping();
  expect(recorder.lines).toEqual([]);
});

if (process.platform === "linux") {
  describe.each([
    ["a path", join(folder, "notify")],
    ["an abstract name", `@mcp-gateway-test-${crypto.randomUUID()}`],
  ])("at %s", (_, path) => {
    test("systemd hears of ready, reloading and stopping", async () => {
      const recorder = recordLog();
      using socket = new NotifySocket(path);
      using notifier = await connectNotifier(recorder.log, { NOTIFY_SOCKET: path });
      notifier.ready("5 backends\nat :39400");
      notifier.reloading();
      notifier.ready("6 backends");
      notifier.stopping();
      const messages = socket.messages();
      expect(messages).toEqual([
        "READY=1\nSTATUS=5 backends at :39400",
        expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+$/),
        "READY=1\nSTATUS=6 backends",
        expect.stringMatching(/^STOPPING=1\nSTATUS=/),
      ]);
      expect(recorder.lines).toEqual([]);
    });
  });

  test("the time of a reload is the machine's monotonic clock", async () => {
    const path = join(folder, "clock");
    using socket = new NotifySocket(path);
    using notifier = await connectNotifier(recordLog().log, { NOTIFY_SOCKET: path });
    notifier.reloading();
    const usec = Number(socket.messages()[0]?.split("=").at(-1));
    const uptime = Number((await Bun.file("/proc/uptime").text()).split(" ")[0]);
    expect(Math.abs(usec / 1e6 - uptime)).toBeLessThan(60);
  });

  describe("the watchdog", () => {
    const beatsOf = (socket: NotifySocket) =>
      socket.messages().filter((text) => text === "WATCHDOG=1").length;

    test("gets a beat twice in its time from ready on, until the end", async () => {
      const path = join(folder, "watchdog");
      using socket = new NotifySocket(path);
      const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "400000", WATCHDOG_PID: String(process.pid) };
      const notifier = await connectNotifier(recordLog().log, env);
      expect(socket.messages()).toEqual([]);
      const startedMs = performance.now();
      notifier.ready("up");
      notifier.ready("up again"); // and no second heartbeat
      await waitFor(() => beatsOf(socket) >= 3);
      const tookMs = performance.now() - startedMs;
      expect(tookMs).toBeWithin(2 * 200 - 20, 2 * 400);
      notifier[Symbol.dispose]();
      const { length } = socket.messages();
      await Bun.sleep(300);
      expect(socket.messages()).toHaveLength(length);
    });

    test.each([
      ["it watches another process", { WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" }],
      ["it does not watch", {}],
      ["its time makes no sense", { WATCHDOG_USEC: "soon" }],
    ])("gets none where %s", async (_, env) => {
      const path = join(folder, crypto.randomUUID());
      using socket = new NotifySocket(path);
      using notifier = await connectNotifier(recordLog().log, { NOTIFY_SOCKET: path, ...env });
      notifier.ready("up");
      await Bun.sleep(30);
      expect(socket.messages()).toEqual(["READY=1\nSTATUS=up"]);
    });
  });

  test("a receiver that is gone is one warning, however often it is told", async () => {
    const path = join(folder, "gone");
    const recorder = recordLog();
    new NotifySocket(path)[Symbol.dispose]();
    using notifier = await connectNotifier(recorder.log, { NOTIFY_SOCKET: path });
    notifier.ready("up");
    notifier.stopping();
    expect(recorder.lines).toHaveLength(1);
  });

  test.each([["vsock:2:1234"], [`/${"x".repeat(108)}`]])("%s is no socket: a warning", async (path) => {
    const recorder = recordLog();
    using notifier = await connectNotifier(recorder.log, { NOTIFY_SOCKET: path });
    notifier.ready("up");
    expect(recorder.lines).toHaveLength(1);
  });
}
