// Plays the whole table as one client and keeps what came, by the name of the case.

import type { Era } from "../../src/protocol/call.ts";
import type { Program } from "../conformance/stdio-child.ts";
import { openSession } from "../support/post.ts";
import type { Case } from "./case.ts";
import { SseWire, StdioWire } from "./channel-wires.ts";
import { HttpWire } from "./http-wire.ts";
import { listCases } from "./list-cases.ts";
import { CLIENT_INFO, startPlayer } from "./player.ts";
import { questionCases } from "./question-cases.ts";
import { playRaw, rawCases } from "./raw-cases.ts";
import { scripts } from "./scripts.ts";
import { toolCases } from "./tool-cases.ts";
import type { Wire } from "./wire.ts";

/** Where a client connects to. */
export type Place =
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "sse"; readonly url: string }
  | { readonly kind: "stdio"; readonly program: Program };

const cases: readonly Case[] = [...questionCases, ...toolCases, ...listCases];
const FIRST_ID = 1_000;

/** Cases whose tool a backend of the other era does not have. */
export const OFFERED_IN_ONE_ERA: ReadonlySet<string> = new Set(
  cases.filter(({ offeredIn }) => offeredIn !== undefined).map(({ name }) => name),
);

export type Recording = ReadonlyMap<string, unknown>;

const REVISIONS = ["2025-06-18", "2025-03-26", "2024-11-05", "1999-01-01", "2026-07-28", undefined];

/** `spoken`: the era that the backend is spoken to in, which decides what it offers. */
export async function record(era: Era, place: Place, spoken: Era = era): Promise<Recording> {
  await using owned = new AsyncDisposableStack();
  const able = await startPlayer(era, owned.use(await openWire(place)));
  const plain = await startPlayer(era, owned.use(await openWire(place)), true);
  const kept = new Map<string, unknown>();
  const keep = (name: string, value: unknown) => {
    if (kept.has(name)) throw new Error(`two cases are called "${name}"`);
    kept.set(name, value);
  };
  for (const [at, one] of cases.entries()) {
    if ((one.only ?? era) !== era || (one.offeredIn ?? spoken) !== spoken) continue;
    const player = one.isPlain === true ? plain : able;
    keep(one.name, await player.play({ id: FIRST_ID + at, ...one }));
  }
  for (const script of scripts) {
    if (script.only === undefined || script.only === era) keep(script.name, await script.play(able));
  }
  keep("unasked", able.wire.unasked);
  if (place.kind === "http") await recordRaw(era, place.url, keep);
  if (era === "legacy") await recordOpenings(owned.use(await openWire(place)), keep);
  return kept;
}

async function recordRaw(era: Era, url: string, keep: (name: string, value: unknown) => void) {
  const common = era === "legacy" ? await openSession(url) : {};
  for (const raw of rawCases) {
    if (raw.era === era) keep(`raw: ${raw.name}`, await playRaw(url, common, raw));
  }
}

/** The handshake in the words of every revision, of one that is none, and without one. */
async function recordOpenings(wire: Wire, keep: (name: string, value: unknown) => void): Promise<void> {
  for (const protocolVersion of REVISIONS) {
    const params = { protocolVersion, capabilities: {}, clientInfo: CLIENT_INFO };
    const messages: unknown[] = [];
    const request = { jsonrpc: "2.0", id: "open", method: "initialize", params };
    const head = await wire.ask(request, (message) => messages.push(message));
    keep(`initialize at ${protocolVersion ?? "no revision"}`, [{ ...head, messages }]);
  }
}

async function openWire(place: Place): Promise<Wire> {
  switch (place.kind) {
    case "http":
      return new HttpWire(place.url);
    case "sse":
      return SseWire.open(place.url);
    case "stdio":
      return new StdioWire(place.program);
  }
}
