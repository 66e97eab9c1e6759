// How a server introduces itself, in the words of either era, read into one form. Everything a server says is checked.

import type { Era } from "../protocol/call.ts";
import { GatewayError } from "../protocol/errors.ts";
import { objectOf } from "../protocol/exact.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import {
  type Implementation,
  isKnownModern,
  isModern,
  META,
  type ServerDescription,
} from "../protocol/mcp.ts";
import { shownLine } from "../shown.ts";

/** What a handshake agreed on. */
export interface Handshake {
  readonly era: Era;
  readonly revision: string;
  readonly description: ServerDescription;
}

/** It travels in a header from then on. */
const REVISION = /^[!-~]{1,64}$/;

/** Throws GatewayError where the answer makes no sense. */
export function fromInitialize(name: string, result: Json): Handshake {
  const revision = result.protocolVersion;
  if (typeof revision !== "string" || !REVISION.test(revision) || isModern(revision)) {
    throw new GatewayError(
      "backend-failed",
      `${name}: the server answered initialize without a usable protocolVersion.`,
    );
  }
  return {
    era: "legacy",
    revision,
    description: describe(name, objectOf(result, "serverInfo"), result),
  };
}

/** Throws GatewayError where no revision is known to both. */
export function fromDiscover(name: string, version: string, result: Json): Handshake {
  const supported = Array.isArray(result.supportedVersions) ? result.supportedVersions : [version];
  const revision = supported.includes(version)
    ? version
    : supported.find((candidate) => typeof candidate === "string" && isKnownModern(candidate));
  if (typeof revision !== "string") {
    const named = supported.filter((candidate) => typeof candidate === "string").join(", ");
    throw new GatewayError(
      "backend-failed",
      `${name}: the server speaks ${shownLine(named, 300)}, none of which this gateway knows; a newer gateway may.`,
    );
  }
  const meta = objectOf(result, "_meta") ?? {};
  return {
    era: "modern",
    revision,
    description: describe(name, objectOf(meta, META.serverInfo), result),
  };
}

/** A modern server that does not implement `server/discover`: taken at its pinned word, with every list worth a try. */
export function undescribed(name: string, revision: string): Handshake {
  const capabilities = { tools: {}, prompts: {}, resources: {} };
  return { era: "modern", revision, description: { serverInfo: unknownServer(name), capabilities } };
}

function describe(name: string, serverInfo: Json | undefined, introduction: Json): ServerDescription {
  const known = {
    serverInfo: serverInfo !== undefined && isImplementation(serverInfo) ? serverInfo : unknownServer(name),
    capabilities: objectOf(introduction, "capabilities") ?? {},
    introduction,
  };
  const { instructions } = introduction;
  return typeof instructions === "string" ? { ...known, instructions } : known;
}

function isImplementation(info: Json): info is Json & Implementation {
  return typeof info.name === "string" && typeof info.version === "string";
}

function unknownServer(name: string): Implementation {
  return { name, version: "unknown" };
}
