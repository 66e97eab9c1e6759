// Who hears what a backend says outside of calls.

import { expect, test } from "bun:test";
import { Subscriptions } from "../../src/backend/subscriptions.ts";
import { notification } from "../../src/protocol/jsonrpc.ts";
import { listener } from "./rig.ts";

test("a finished elicitation is for the client that was sent there, and one without an id for nobody", () => {
  const subscriptions = new Subscriptions();
  const [anna, ben] = [listener("anna"), listener("ben")];
  using _anna = subscriptions.add(anna.subscriber);
  using _ben = subscriptions.add(ben.subscriber);
  subscriptions.expectCompletion("e-1", "anna");
  for (const elicitationId of ["e-1", "e-2", { toString: null }, 1, undefined]) {
    subscriptions.deliver(notification("notifications/elicitation/complete", { elicitationId }));
  }
  expect(anna.heard).toEqual(["notifications/elicitation/complete"]);
  expect(ben.heard).toEqual([]);
});
