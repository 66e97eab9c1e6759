// What a backend offers outlives its process, and the gateway's.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Caller } from "../../src/protocol/call.ts";
import { fixture, startsIn } from "../support/fixture.ts";
import { recordLog } from "../support/log-recorder.ts";
import { waitFor } from "../support/wait-for.ts";
import { caller, callTool, type Entry, listener, makeBackend, makeCall, program, TestFolder } from "./rig.ts";

const never = new AbortController().signal;

/** A program whose release can be exchanged behind the gateway's back, and a cache folder for the gateway. */
class Releases implements Disposable {
  readonly #folder = new TestFolder();
  readonly starts: string = join(this.#folder.path, "starts");
  readonly cacheFolder: string = join(this.#folder.path, "cache");
  readonly entry: Entry = {
    ...program(fixture("tools-from-file", join(this.#folder.path, "release.json"))),
    env: { STARTS_FILE: this.starts },
  };

  publish(version: string, tools: Record<string, string>, isBroken = false): void {
    writeFileSync(join(this.#folder.path, "release.json"), JSON.stringify({ version, tools, isBroken }));
  }

  async startCount(): Promise<number> {
    return (await startsIn(this.starts)).length;
  }

  /** A gateway's run that uses the backend once, and ends. */
  async useOnce(from: Caller = caller()): Promise<void> {
    await using backend = makeBackend(this.entry, this);
    await callTool(backend, "echo", { text: "hello" }, { caller: from });
    await backend.whenCompared();
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

test("after a restart of the gateway all is known of a backend that has not run", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first" });
  await releases.useOnce();
  const starts = await releases.startCount();

  await using backend = makeBackend(releases.entry, releases);
  expect(backend.status()).toMatchObject({ state: "stopped", revision: "2025-11-25", catalog: "remembered" });
  const { description } = await backend.handshake(never, caller());
  expect(description.serverInfo).toEqual({ name: "tools-from-file", version: "1.0" });
  expect((await backend.tools(never)).map(({ name }) => name)).toContain("one");
  const { result } = await backend.call(makeCall("tools/list"));
  expect(result.tools).toContainEqual(expect.objectContaining({ name: "one", description: "The first" }));
  expect(await releases.startCount()).toBe(starts);
});

test("once the backend runs it is fresh, and nobody is told of a change where there was none", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first" });
  await releases.useOnce();
  await using backend = makeBackend(releases.entry, releases);
  const client = listener();
  using _subscription = backend.subscribe(client.subscriber);
  await callTool(backend, "one");
  await backend.whenCompared();
  expect(backend.status()).toMatchObject({ catalog: "fresh", drift: undefined });
  expect(client.heard).toEqual([]);
});

test("a list that differs from what was remembered is told to the clients, and to the log", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first", two: "The second", three: "The third" });
  await releases.useOnce();
  releases.publish("2.0", { one: "The first", two: "Another second", four: "The fourth" });
  const { log, lines } = recordLog();
  await using backend = makeBackend(releases.entry, { ...releases, log });
  const client = listener();
  using _subscription = backend.subscribe(client.subscriber);
  await callTool(backend, "one");
  await backend.whenCompared();
  expect(client.heard).toEqual(["notifications/tools/list_changed"]);
  expect((await backend.tools(never)).map(({ name }) => name)).toContain("four");
  const said = lines.find(({ message }) => message.startsWith("changed since the last good start"));
  expect(said?.message).toContain(
    "server 1.0 → 2.0; tools added: four; tools removed: three; tools changed: two",
  );
  expect(backend.status().drift).toBe(said?.message ?? "");
});

test("the backend's own word of a change reaches the clients when its new list is known", async () => {
  await using backend = makeBackend(program(fixture("grows-tools")));
  const namesHeard: string[][] = [];
  using _subscription = backend.subscribe({
    key: "session-1",
    wants: () => true,
    deliver: () => void namesHeard.push(backend.catalog.tools.map(({ name }) => name)),
  });
  await backend.tools(never);
  await callTool(backend, "grow");
  await waitFor(() => namesHeard.length > 0);
  expect(namesHeard).toEqual([expect.arrayContaining(["grown_1"])]);
});

test("the era is kept as well: the next run of the gateway does not ask again", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first" });
  // A legacy client's process is not asked for the newer era.
  const modern = caller("modern", { era: "modern", revision: "2026-07-28" });
  await releases.useOnce(modern);
  const folder = join(releases.cacheFolder, "catalogs-2");
  const era = () => JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")).traits.era;
  const first = era();
  expect(first).toEqual({ name: "legacy", askedAtMs: expect.any(Number) });
  await releases.useOnce(modern);
  expect(era()).toEqual(first);
});

test("a backend that fails where it once was well still offers what it did", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first" });
  await releases.useOnce();
  releases.publish("2.0", {}, true);
  await using backend = makeBackend(releases.entry, releases);
  await expect(callTool(backend, "one")).rejects.toThrow("exit code 5");
  expect((await backend.tools(never)).map(({ name }) => name)).toContain("one");
});

test("a look at how things are leaves no trace", async () => {
  using releases = new Releases();
  releases.publish("1.0", { one: "The first" });
  await using backend = makeBackend(releases.entry, { ...releases, isCacheReadOnly: true });
  await backend.relist(never);
  await backend.whenCompared();
  await backend[Symbol.asyncDispose]();
  expect(() => readdirSync(releases.cacheFolder)).toThrow("ENOENT");
});
