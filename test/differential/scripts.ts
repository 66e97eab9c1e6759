// Exchanges that hang together: what changes and who hears of it, what is cancelled, what a level lets through.

import type { Era } from "../../src/protocol/call.ts";
import type { Json } from "../../src/protocol/jsonrpc.ts";
import { LOG_LEVELS, META } from "../../src/protocol/mcp.ts";
import { waitFor } from "../support/wait-for.ts";
import { ask, call } from "./case.ts";
import { HttpWire } from "./http-wire.ts";
import type { Player, Round } from "./player.ts";

export interface Script {
  readonly name: string;
  readonly only?: Era;
  play(player: Player): Promise<unknown>;
}

const LISTS = ["tools", "prompts", "resources"] as const;
const WATCHED = "test://watched-resource";

const changes: Script[] = LISTS.map((list) => ({
  name: `the list of ${list} changes`,
  async play(player) {
    const flag = `${list}ListChanged`;
    const change = (present: boolean) => call("change_list", { list, present });
    return hearing(player, { [flag]: true }, async (heard) => {
      const grown = await player.play(change(true));
      await heard(1);
      const listed = await player.play(ask(`${list}/list`, {}, "grown"));
      const shrunk = await player.play(change(false));
      await heard(2);
      return [grown, listed, shrunk, await player.play(ask(`${list}/list`, {}, "shrunk"))];
    });
  },
}));

const updates: Script = {
  name: "a watched resource changes",
  async play(player) {
    const touch = () => player.play(call("touch_resource", { uri: WATCHED }));
    const watch = (method: string) =>
      player.era === "legacy" ? player.play(ask(method, { uri: WATCHED }, "")) : Promise.resolve([]);
    return hearing(player, { resourceSubscriptions: [WATCHED] }, async (heard) => {
      const watched = await watch("resources/subscribe");
      const touched = await touch();
      await heard(1);
      const read = await player.play(ask("resources/read", { uri: WATCHED }, ""));
      const left = await watch("resources/unsubscribe");
      return [watched, touched, read, left];
    });
  },
};

/** Everything that comes for everybody while `work` runs, which is told how to wait for so many messages of it. */
async function hearing(
  player: Player,
  notifications: Json,
  work: (heard: (count: number) => Promise<unknown>) => Promise<unknown>,
): Promise<unknown> {
  const { wire } = player;
  if (player.era === "legacy") {
    const before = wire.unasked.length;
    const done = await work((count) =>
      waitFor(() => wire.unasked.length >= before + count, { what: `${count} unasked messages` }),
    );
    return { done, heard: wire.unasked.slice(before) };
  }
  const heard: Json[] = [];
  const stop = new AbortController();
  const listen = { ...ask("subscriptions/listen", { notifications }, ""), id: `listen-${Math.random()}` };
  const ended = player.play(listen, { signal: stop.signal, hear: (message) => heard.push(message) });
  await waitFor(() => heard.length >= 1, { what: "the acknowledgement" });
  const done = await work((count) =>
    waitFor(() => heard.length >= count + 1, { what: `${count} messages of the subscription` }),
  );
  await giveUp(player, listen.id, stop);
  await ended;
  return { done, heard: JSON.parse(JSON.stringify(heard).replaceAll(listen.id, "listen")) };
}

const cancelling: Script = {
  name: "a call is cancelled",
  async play(player) {
    const key = `cancelled-${Math.random()}`;
    const heard: Json[] = [];
    const stop = new AbortController();
    const one = call("slow", { ms: 60_000, steps: 1_000, key }, { id: key, meta: { progressToken: "c" } });
    const ended = player.play(one, { signal: stop.signal, hear: (message) => heard.push(message) });
    await waitFor(() => heard.length > 0, { what: "the first step" });
    await giveUp(player, key, stop);
    if (player.era === "legacy") stop.abort();
    await ended;
    await waitFor(
      async () => JSON.stringify(await player.play(call("slow_log", {}, { id: "poll" }))).includes(key),
      {
        what: "the end of the backend's work",
      },
    );
    return JSON.parse(JSON.stringify(heard.slice(0, 1)).replaceAll(key, "key"));
  },
};

/** Takes a request back in the words of the era and of the wire. */
async function giveUp({ era, wire }: Player, requestId: string, stop: AbortController): Promise<void> {
  if (era === "legacy" || !(wire instanceof HttpWire))
    await wire.tell({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
  if (era === "modern") stop.abort();
}

const logging: Script = {
  name: "logs by level",
  async play(player) {
    const rounds: (readonly Round[])[] = [await player.play(call("log", { message: "no level" }))];
    for (const level of ["warning", ...LOG_LEVELS]) {
      if (player.era === "legacy") rounds.push(await player.play(ask("logging/setLevel", { level }, "")));
      const meta = player.era === "legacy" ? {} : { meta: { [META.logLevel]: level } };
      rounds.push(await player.play(call("log", { message: level }, meta)));
      rounds.push(await player.play(call("test_tool_with_logging", {}, meta)));
      if (level === "notice") break;
    }
    return rounds;
  },
};

const wrongLevel: Script = {
  name: "a level that is none",
  only: "modern",
  play: (player) => player.play(call("log", {}, { meta: { [META.logLevel]: "loud" } })),
};

/** A filter is honoured as far as the server can. */
const filters: Script = {
  name: "filters of subscriptions",
  only: "modern",
  async play(player) {
    const all: unknown[] = [];
    for (const filter of [
      {},
      { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true },
      { toolsListChanged: false, resourceSubscriptions: [WATCHED, "test://static-text"] },
      { none: true },
    ])
      all.push(await hearing(player, filter, async () => []));
    return all;
  },
};

const forging: Script = {
  name: "a forged state",
  only: "modern",
  play: (player) => player.play(call("test_input_required_result_tampered_state", {}, { manner: "forge" })),
};

// A call that waits for its true state, or that was cancelled, may still speak as far as anybody knows: they come last.
export const scripts: readonly Script[] = [
  ...changes,
  updates,
  logging,
  wrongLevel,
  filters,
  forging,
  cancelling,
];
