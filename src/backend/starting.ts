// One start of a backend within its deadline, and its failure in words for the person who has to mend it.

import type { BackendConfig } from "../config/config.ts";
import { GatewayError } from "../protocol/errors.ts";
import { RpcError } from "../protocol/jsonrpc.ts";
import { shownLine } from "../shown.ts";
import { StartError, type WireEnd } from "../transport/transport.ts";
import { describeEnd } from "./connection/wire-failure.ts";
import { type Connected, connect, type HandshakeOptions } from "./handshake.ts";

/** How long a start that was given up may take to close its wire: longer than ending a process takes. */
const CLOSE_MS = 8_000;

/** The longest text of a server in the message about its failure. */
const MAX_SAID_CHARS = 2_000;

/** Always settles within the deadline and `CLOSE_MS`. Rejects with GatewayError. */
export async function startWithin(config: BackendConfig, options: HandshakeOptions): Promise<Connected> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), config.startTimeoutMs);
  let end: WireEnd | undefined;
  const signal = AbortSignal.any([options.signal, deadline.signal]);
  const connecting = connect(config, {
    ...options,
    signal,
    events: {
      ...options.events,
      onEnd: (wireEnd) => {
        end = wireEnd;
        options.events.onEnd(wireEnd);
      },
    },
  });
  try {
    return await settled(connecting, signal);
  } catch (thrown) {
    throw deadline.signal.aborted ? startTimeout(config, end) : startFailure(config.name, thrown);
  } finally {
    clearTimeout(timer);
  }
}

/** The connection, or a rejection `CLOSE_MS` after the signal; a connection that comes later is closed. */
async function settled(connecting: Promise<Connected>, signal: AbortSignal): Promise<Connected> {
  const overdue = Promise.withResolvers<never>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUp = () => {
    timer = setTimeout(() => overdue.reject(signal.reason), CLOSE_MS);
  };
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp);
  overdue.promise.catch(() => {
    connecting.then(({ connection }) => connection[Symbol.asyncDispose]()).catch(() => undefined); // The failure was already reported.
  });
  try {
    return await Promise.race([connecting, overdue.promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
    clearTimeout(timer);
  }
}

function startTimeout({ name, startTimeoutMs }: BackendConfig, end: WireEnd | undefined): GatewayError {
  const reason =
    `no handshake within ${startTimeoutMs / 1000} s (start_timeout). A first run that installs packages can need ` +
    "longer: raise start_timeout, or run the command once by hand.";
  const told = {
    reason,
    permanent: false,
    ...(end?.lastWords === undefined ? {} : { lastWords: end.lastWords }),
  };
  return new GatewayError("backend-failed", describeEnd(name, told));
}

function startFailure(name: string, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const words =
    thrown instanceof StartError
      ? describeEnd(name, thrown.end)
      : `${name}: the handshake failed: ${shownLine(messageOf(thrown), MAX_SAID_CHARS)}`;
  return new GatewayError("backend-failed", words, { cause: thrown });
}

/** True where trying again cannot help until something changes. */
export function isPermanent(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.cause instanceof StartError && thrown.cause.end.permanent;
}

/** True where what a permanent failure came from is another by now. */
export async function hasChangedSince({ cause }: Error): Promise<boolean> {
  return cause instanceof StartError && (await cause.hasChanged());
}

export function messageOf(thrown: unknown): string {
  if (thrown instanceof RpcError) return `${thrown.message} (${thrown.code})`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
