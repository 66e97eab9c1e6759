// All that is known of a backend beyond its processes, and the file that keeps it from one run of the gateway to the next.

import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { Catalog } from "./catalog.ts";
import { CatalogFile, type CatalogFileRecord } from "./catalog-file.ts";
import { Habits } from "./connection/habits.ts";
import type { Connected } from "./handshake.ts";
import { LastGoodStart } from "./last-good.ts";
import { RememberedEra } from "./remembered-era.ts";
import { SeenExtensions } from "./seen-extensions.ts";
import { settingsHash } from "./settings-hash.ts";

export interface MemoryOptions {
  /** Where catalogues are kept; nowhere unless given. */
  readonly cacheFolder?: string;
  /** True for a look at how things are that shall leave no trace. */
  readonly isCacheReadOnly?: boolean;
}

export class Memory implements AsyncDisposable {
  readonly catalog = new Catalog();
  readonly era = new RememberedEra(() => this.keep());
  readonly seenExtensions = new SeenExtensions(() => this.keep());
  /** What was learned about how the server speaks. */
  readonly habits: Habits;
  readonly lastGood: LastGoodStart;
  readonly #settings: string;
  readonly #file: CatalogFile | undefined;
  readonly #isReadOnly: boolean;

  /** What the one before has learnt holds for the same settings; else what an earlier run has kept. */
  constructor(config: BackendConfig, log: Log, options: MemoryOptions, before?: Memory) {
    this.lastGood = new LastGoodStart(config, this.catalog, log);
    const told = (words: string) => log.info(`learned about the server: it ${words}`);
    this.habits = new Habits(told, () => this.keep());
    this.#settings = settingsHash(config);
    this.#isReadOnly = options.isCacheReadOnly ?? false;
    const { cacheFolder } = options;
    this.#file = cacheFolder === undefined ? undefined : new CatalogFile(cacheFolder, config, log);
    const isSame = before !== undefined && before.#settings === this.#settings;
    const own = isSame ? before.#record() : undefined;
    this.#restore(own ?? this.#file?.read());
  }

  /** The lists of a new process have been read. */
  async startedWell(connected: Connected): Promise<void> {
    await this.lastGood.started(connected);
    this.keep();
  }

  /** Something has changed that is worth keeping. */
  keep(): void {
    if (!this.#isReadOnly) this.#file?.keep(() => this.#record());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
  }

  #record(): CatalogFileRecord | undefined {
    const catalog = this.catalog.record();
    const { record: lastGood } = this.lastGood;
    if (catalog === undefined) return undefined;
    const era = this.era.record();
    const extensions = this.seenExtensions.all;
    const traits = { habits: this.habits.record(), extensions, ...(era === undefined ? {} : { era }) };
    return { catalog, traits, ...(lastGood === undefined ? {} : { lastGood }) };
  }

  #restore(record: CatalogFileRecord | undefined): void {
    if (record === undefined) return;
    this.catalog.restore(record.catalog);
    this.era.restore(record.traits.era);
    this.seenExtensions.restore(record.traits.extensions);
    this.habits.restore(record.traits.habits ?? {});
    this.lastGood.restore(record.lastGood);
  }
}
