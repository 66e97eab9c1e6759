// What a client watches, from its request to the end of its session: the server hears of both, once.

import { describe, expect, test } from "bun:test";
import type { Subscriber } from "../../src/protocol/call.ts";
import { fixture } from "../support/fixture.ts";
import { asBackend } from "../support/npm-programs.ts";
import type { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { TestGateway } from "../target/gateway.ts";
import { caller, callTool, makeBackend, makeCall, program } from "./rig.ts";

const server = fixture("watched-resources");
const subscribe = (uri: string, key = "session-1") =>
  makeCall("resources/subscribe", { uri }, { caller: caller(key) });

function subscriber(key: string): { subscriber: Subscriber; updates: unknown[] } {
  const updates: unknown[] = [];
  return {
    updates,
    subscriber: { key, wants: () => true, deliver: ({ params }) => void updates.push(params?.uri) },
  };
}

describe("the watches of a backend", () => {
  test("are told to the server, and their end when the last one has ended", async () => {
    await using backend = makeBackend(program(server));
    const [anna, ben] = [subscriber("anna"), subscriber("ben")];
    const first = await backend.watch("a:1", anna.subscriber, subscribe("a:1", "anna"));
    const second = await backend.watch("a:1", ben.subscriber, subscribe("a:1", "ben"));
    await callTool(backend, "update", { uri: "a:1" });
    await waitFor(() => anna.updates.length + ben.updates.length === 2);
    await first.end();
    await first.end();
    await callTool(backend, "update", { uri: "a:1" });
    await waitFor(() => ben.updates.length === 2);
    expect(anna.updates).toEqual(["a:1"]);
    expect(backend.isWatched).toBe(true);
    await second.end();
    expect(backend.isWatched).toBe(false);
    expect(await callTool(backend, "requests")).toBe(
      JSON.stringify(["resources/subscribe a:1", "resources/subscribe a:1", "resources/unsubscribe a:1"]),
    );
  });

  test("that the server refuses are none", async () => {
    await using backend = makeBackend(program(server));
    const { subscriber: anna } = subscriber("anna");
    expect(backend.watch("refuse:1", anna, subscribe("refuse:1"))).rejects.toThrow("Resource not found");
    await waitFor(() => !backend.isWatched);
  });

  test("of one client do not end with those of another that begin meanwhile", async () => {
    await using backend = makeBackend(program(server));
    const [anna, ben] = [subscriber("anna"), subscriber("ben")];
    const first = await backend.watch("a:1", anna.subscriber, subscribe("a:1", "anna"));
    const begun = backend.watch("a:1", ben.subscriber, subscribe("a:1", "ben"));
    await waitFor(() => backend.status().inFlight === 1);
    await first.end();
    await begun;
    await callTool(backend, "update", { uri: "a:1" });
    await waitFor(() => ben.updates.length === 1);
    expect(await callTool(backend, "requests")).not.toContain("unsubscribe");
  });
});

describe.each(["direct", "merged"] as const)("a session on the %s route", (route) => {
  const uri = route === "direct" ? "a:1" : "gateway:it:a:1";
  const start = () =>
    TestGateway.start({ backends: { it: { ...asBackend(server), idle_timeout: "100ms" } } });
  const connect = (gateway: TestGateway) => gateway.connect(route === "direct" ? "it" : undefined);

  async function states(gateway: TestGateway): Promise<unknown> {
    const health = await (await fetch(`${gateway.url}/health`)).json();
    return (health as { backends: Record<string, { state: string }> }).backends.it?.state;
  }

  async function requests(gateway: TestGateway): Promise<string> {
    await using asking = await gateway.connect("it");
    const { content } = await asking.client.callTool({ name: "requests", arguments: {} });
    return Array.isArray(content) ? String(content[0]?.text) : "";
  }

  /** Ends the session as a client does that says good-bye. */
  const leave = (sdk: SdkClient) => sdk.transport.terminateSession();

  test("keeps the backend awake while it watches, and no longer", async () => {
    await using gateway = await start();
    await using sdk = await connect(gateway);
    await using other = await gateway.connect("it");
    await sdk.client.subscribeResource({ uri });
    await sdk.client.subscribeResource({ uri });
    await other.client.subscribeResource({ uri: "a:2" });
    expect(await requests(gateway)).not.toContain("unsubscribe");
    await leave(sdk);
    await waitFor(async () => (await requests(gateway)).includes("resources/unsubscribe a:1"));
    expect(await states(gateway)).toBe("ready");
    await leave(other);
    await waitFor(async () => (await states(gateway)) === "asleep");
  });

  test("ends its watch by a request of its own, and hears no more of it", async () => {
    await using gateway = await start();
    await using sdk = await connect(gateway);
    await using direct = await gateway.connect("it");
    await sdk.client.subscribeResource({ uri });
    await direct.client.callTool({ name: "update", arguments: { uri: "a:1" } });
    await waitFor(() => sdk.updated.length === 1);
    expect(sdk.updated).toEqual([uri]);
    await sdk.client.unsubscribeResource({ uri });
    expect(await requests(gateway)).toContain("resources/unsubscribe a:1");
    await sdk.client.unsubscribeResource({ uri });
    await waitFor(async () => (await states(gateway)) === "asleep");
  });

  test("that ends while its request to watch is under way leaves no watch behind", async () => {
    await using gateway = await start();
    await using sdk = await connect(gateway);
    const watching = sdk.client.subscribeResource({ uri }).catch(() => undefined);
    await leave(sdk);
    await sdk.client.close();
    await watching;
    await waitFor(async () => ["asleep", "stopped"].includes(String(await states(gateway))));
  });
});
