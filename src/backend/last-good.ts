// Remembers how a backend was when it last started well, and says what is different when it starts again, or does not.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { GatewayError } from "../protocol/errors.ts";
import type { Catalog } from "./catalog.ts";
import { describeDrift, describePackageDrift, hashTools, type LastGood } from "./drift.ts";
import type { Connected } from "./handshake.ts";
import { readPackage } from "./package-version.ts";

export class LastGoodStart {
  readonly #config: BackendConfig;
  readonly #catalog: Catalog;
  readonly #log: Log;
  #record: LastGood | undefined;
  #drift: string | undefined;

  constructor(config: BackendConfig, catalog: Catalog, log: Log) {
    this.#config = config;
    this.#catalog = catalog;
    this.#log = log;
  }

  get record(): LastGood | undefined {
    return this.#record;
  }

  /** What the latest start has shown to be different, in a sentence. */
  get drift(): string | undefined {
    return this.#drift;
  }

  restore(record: LastGood | undefined): void {
    this.#record = record;
  }

  /** The lists of a new process have been read. */
  async started({ description }: Connected): Promise<void> {
    const found = await readPackage(this.#config);
    const now: LastGood = {
      atMs: Date.now(),
      serverVersion: description.serverInfo.version,
      ...(found === undefined ? {} : { packageVersion: found.version }),
      tools: hashTools(this.#catalog.tools),
    };
    this.#drift = this.#record === undefined ? undefined : describeDrift(this.#record, now);
    this.#record = now;
    if (this.#drift !== undefined) this.#log.warning(this.#drift);
  }

  /** The same failure, with what may be behind it. */
  async explain(thrown: unknown): Promise<unknown> {
    const before = this.#record;
    if (!(thrown instanceof GatewayError) || before?.packageVersion === undefined) return thrown;
    const found = await readPackage(this.#config);
    if (found === undefined) return thrown;
    this.#drift = describePackageDrift(before, found.name, found.version);
    if (this.#drift === undefined) return thrown;
    return new GatewayError(thrown.kind, `${thrown.message}\n(${this.#drift})`, { cause: thrown.cause });
  }
}
