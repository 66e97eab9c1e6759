// The work for a cancellation does not grow with what is in flight: counted, not timed.

import { expect, spyOn, test } from "bun:test";
import { LegacySession } from "../../src/edge/legacy-session.ts";
import { silentLog } from "../../src/log.ts";
import { InFlight } from "../../src/protocol/in-flight.ts";
import { notification } from "../../src/protocol/jsonrpc.ts";
import { FakeOutlet } from "./fake-outlet.ts";
import { FakeTarget } from "./fake-target.ts";

function open(target: FakeTarget): LegacySession {
  const facts = { revision: "2025-06-18", capabilities: {}, principal: "local" };
  return new LegacySession({ id: "s", facts, target, log: silentLog, push: () => true });
}

const cancel = (requestId: unknown) => notification("notifications/cancelled", { requestId });

test("thousands of cancellations of nothing look at thousands of calls once", () => {
  using session = open(new FakeTarget(() => new Promise(() => {})));
  for (let id = 0; id < 5_000; id++) {
    session.receive({ jsonrpc: "2.0", id, method: "tools/call", params: {} }, new FakeOutlet());
  }
  using looks = spyOn(InFlight.prototype, "values");
  using searches = spyOn(InFlight.prototype, "find");
  for (let n = 0; n < 15_000; n++) session.receiveNotification(cancel(`no-such-${n}`));
  expect(looks.mock.calls.length + searches.mock.calls.length).toBeLessThanOrEqual(1);
});

test("a cancellation finds its call, each of two with one id, also those that came after the first cancellation", async () => {
  const target = new FakeTarget(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ result: {} }));
      }),
  );
  using session = open(target);
  const outlets = new Map<string, FakeOutlet>();
  const begin = (id: number | string, name: string) => {
    const outlet = new FakeOutlet();
    outlets.set(name, outlet);
    session.receive({ jsonrpc: "2.0", id, method: "tools/call", params: { name } }, outlet);
  };
  const dropped = () => [...outlets].filter(([, { isDropped }]) => isDropped).map(([name]) => name);
  begin(1, "a");
  begin(2, "b");
  session.receiveNotification(cancel(1));
  await Bun.sleep(0);
  expect(dropped()).toEqual(["a"]);
  begin(3, "c");
  begin(3, "d");
  begin("3", "e");
  session.receiveNotification(cancel(3));
  await Bun.sleep(0);
  expect(dropped()).toEqual(["a", "c", "d"]);
  session.receiveNotification(cancel(2));
  session.receiveNotification(cancel("3"));
  await Bun.sleep(0);
  expect(dropped()).toEqual(["a", "b", "c", "d", "e"]);
  begin(1, "f");
  session.receiveNotification(cancel(1));
  await Bun.sleep(0);
  expect(dropped()).toContain("f");
});
