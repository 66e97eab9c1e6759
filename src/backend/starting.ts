// One start of a backend within its deadline, and its failure in words for the person who has to mend it.

import type { BackendConfig } from "../config/config.ts";
import { GatewayError } from "../protocol/errors.ts";
import { RpcError } from "../protocol/jsonrpc.ts";
import { StartError, type WireEnd } from "../transport/transport.ts";
import { type Connected, connect, type HandshakeOptions } from "./handshake.ts";
import { describeEnd } from "./wire-failure.ts";

/** Rejects with GatewayError. */
export async function startWithin(config: BackendConfig, options: HandshakeOptions): Promise<Connected> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), config.startTimeoutMs);
  let end: WireEnd | undefined;
  try {
    return await connect(config, {
      ...options,
      signal: AbortSignal.any([options.signal, deadline.signal]),
      events: {
        ...options.events,
        onEnd: (wireEnd) => {
          end = wireEnd;
          options.events.onEnd(wireEnd);
        },
      },
    });
  } catch (thrown) {
    throw deadline.signal.aborted ? startTimeout(config, end) : startFailure(config.name, thrown);
  } finally {
    clearTimeout(timer);
  }
}

function startTimeout({ name, startTimeoutMs }: BackendConfig, end: WireEnd | undefined): GatewayError {
  const reason =
    `no handshake within ${startTimeoutMs / 1000} s (start_timeout). A first run that installs packages can need ` +
    "longer: raise start_timeout, or run the command once by hand.";
  const told = { reason, permanent: false, ...(end?.stderr === undefined ? {} : { stderr: end.stderr }) };
  return new GatewayError("backend-failed", describeEnd(name, told));
}

function startFailure(name: string, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const words =
    thrown instanceof StartError
      ? describeEnd(name, thrown.end)
      : `${name}: the handshake failed: ${messageOf(thrown)}`;
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
