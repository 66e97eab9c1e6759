// Session ids that say what the session is: they hold over restarts of the gateway and over replicas that share the key.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { randomName } from "../digest.ts";
import { isObject, type Json } from "../protocol/jsonrpc.ts";
import type { SessionFacts } from "./legacy-session.ts";
import type { Seal } from "./seal.ts";

/** An id lives in a header: a client with a novel for a name gets a shorter one. */
const MAX_NAME_LENGTH = 100;

const Payload = Type.Object({
  /** Unguessable and unique. */
  n: Type.String(),
  /** Target.name */
  t: Type.String(),
  /** Revision. */
  v: Type.String(),
  /** Capabilities that matter to a gateway. */
  c: Type.Record(Type.String(), Type.Unknown()),
  /** Name and version of the client. */
  i: Type.Optional(Type.Tuple([Type.String(), Type.String()])),
  /** Principal. */
  p: Type.String(),
  /** When it was issued, milliseconds since 1970. */
  a: Type.Optional(Type.Integer({ minimum: 0 })),
});

export interface ReadSessionId {
  readonly facts: SessionFacts;
  readonly issuedAtMs: number;
}

export function mintSessionId(seal: Seal, target: string, { facts, issuedAtMs }: ReadSessionId): string {
  const { name, version } = facts.clientInfo ?? {};
  const payload: Static<typeof Payload> = {
    n: randomName(9),
    t: target,
    v: facts.revision,
    c: relevantCapabilities(facts.capabilities),
    p: facts.principal,
    a: issuedAtMs,
  };
  if (typeof name === "string" && typeof version === "string") {
    payload.i = [name.slice(0, MAX_NAME_LENGTH), version.slice(0, MAX_NAME_LENGTH)];
  }
  return seal.close(payload);
}

/** The content of a session id that this gateway issued for this target, or undefined. */
export function readSessionId(seal: Seal, target: string, id: string): ReadSessionId | undefined {
  const payload = seal.open(id);
  if (!Value.Check(Payload, payload) || payload.t !== target) return undefined;
  const facts = { revision: payload.v, capabilities: payload.c, principal: payload.p };
  const clientInfo = payload.i === undefined ? undefined : { name: payload.i[0], version: payload.i[1] };
  return {
    facts: clientInfo === undefined ? facts : { ...facts, clientInfo },
    issuedAtMs: payload.a ?? 0,
  };
}

/** What decides whether a client can be asked, and no more: the rest would only make the id longer. */
function relevantCapabilities({ roots, sampling, elicitation }: Json): Json {
  return {
    ...(isObject(roots) ? { roots: {} } : {}),
    ...(isObject(sampling) ? { sampling: keysOf(sampling) } : {}),
    ...(isObject(elicitation) ? { elicitation: keysOf(elicitation, "form", "url") } : {}),
  };
}

function keysOf(capability: Json, ...known: string[]): Json {
  const kept = known.length === 0 ? ["tools", "context"] : known;
  return Object.fromEntries(kept.filter((key) => isObject(capability[key])).map((key) => [key, {}]));
}
