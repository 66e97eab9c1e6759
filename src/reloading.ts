// The configuration of a running gateway: one change after the other, each checked whole before anything happens, then
// applied as the difference that it makes. Knows not where configurations come from.

import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { ConfigError } from "./config/problem.ts";
import type { ConfigInput } from "./config/schema.ts";
import { checkBind } from "./config/security.ts";
import type { Log } from "./log.ts";
import { GatewayError } from "./protocol/errors.ts";
import { shownText } from "./shown.ts";

/** What a change of the configuration has come to. */
export interface Reload {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Keys of the file that have changed and that only a restart of the gateway takes up. */
  readonly needsRestart: readonly string[];
}

/** A configuration, or what reads one when its turn has come. */
export type ConfigSource = Config | ConfigInput | (() => Config);

export interface ReloadingOptions {
  readonly log: Log;
  /** Throws ConfigError. */
  readonly check: (input: Config | ConfigInput) => Config;
  /** Cannot fail: whatever may be wrong has been checked. */
  readonly apply: (config: Config) => Omit<Reload, "needsRestart">;
}

/** Something that runs by a configuration and can take up another one. */
export type Reloadable = Pick<Reloading, "config" | "reload">;

/** What takes effect without a restart, or has none. */
const LIVE: ReadonlySet<string> = new Set(["backends", "logLevel", "memoryLimitBytes", "path", "notes"]);

export class Reloading implements Disposable {
  readonly #log: Log;
  readonly #options: ReloadingOptions;
  /** As the gateway was started: what needs a restart is compared with it. */
  readonly #started: Config;
  #config: Config;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #error: string | undefined;
  #isOver = false;

  constructor(config: Config, options: ReloadingOptions) {
    this.#started = config;
    this.#config = config;
    this.#log = options.log;
    this.#options = options;
  }

  /** The newest good one. */
  get config(): Config {
    return this.#config;
  }

  /** Why the newest was refused, for people and without secrets; undefined where it was good. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Rejects with what is wrong with the configuration; then nothing has changed. */
  reload(source: ConfigSource): Promise<Reload> {
    const turn = this.#lastTurn.then(() => this.#reload(source));
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** The gateway ends: nothing new is begun. */
  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  #reload(source: ConfigSource): Reload {
    if (this.#isOver) throw new GatewayError("shutting-down", "The gateway is being closed.");
    let config: Config;
    try {
      config = this.#options.check(typeof source === "function" ? source() : source);
    } catch (thrown) {
      this.#refuse(thrown);
      throw thrown;
    }
    const wasBroken = this.#error !== undefined;
    this.#error = undefined;
    const needsRestart = this.#needsRestart(config);
    const isNew = !isDeepStrictEqual(this.#config, config);
    this.#config = config;
    const change = { ...this.#options.apply(config), needsRestart };
    if (isNew || wasBroken) this.#report(change);
    return change;
  }

  #refuse(thrown: unknown): void {
    const problems =
      thrown instanceof ConfigError
        ? thrown.format().split("\n")
        : [thrown instanceof Error ? thrown.message : String(thrown)];
    this.#error = shownText(problems.join("\n"));
    this.#log.error("the new configuration is not used; everything goes on as before", { problems });
  }

  #needsRestart(config: Config): string[] {
    const before = new Map<string, unknown>(Object.entries(this.#started));
    const after = new Map<string, unknown>(Object.entries(config));
    return [...new Set([...before.keys(), ...after.keys()])]
      .filter((key) => !LIVE.has(key) && !isDeepStrictEqual(before.get(key), after.get(key)))
      .map((key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  }

  #report({ added, changed, removed, needsRestart }: Reload): void {
    const lists = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0);
    this.#log.info("took up the new configuration", Object.fromEntries(lists));
    if (needsRestart.length > 0) {
      this.#log.warning("some changes take effect only when the gateway is started again", {
        keys: needsRestart,
      });
    }
  }
}

/** What is given becomes what the rest of the program knows. Throws ConfigError. */
export function finishConfig(input: Config | ConfigInput): Config {
  return "enableMetaMcp" in input ? input : loadConfig(input);
}

/** The same for what listens on the network: one that would let strangers in is as bad as a wrong one. */
export function finishNetworkConfig(input: Config | ConfigInput): Config {
  const config = finishConfig(input);
  const problem = checkBind(config);
  if (problem !== undefined) throw new ConfigError([problem]);
  return config;
}
