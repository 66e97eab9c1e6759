// The configuration of a running gateway: one change after the other, each checked whole before anything happens, then
// applied as the difference that it makes. Knows not where configurations come from.

import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { ConfigError } from "./config/problem.ts";
import type { ConfigInput } from "./config/schema.ts";
import { checkBind } from "./config/security.ts";
import { type Log, redact } from "./log.ts";
import { GatewayError } from "./protocol/errors.ts";

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

/** What takes effect without a restart, or has none. */
const LIVE: ReadonlySet<string> = new Set(["backends", "logLevel", "path", "notes"]);

export class Reloading implements Disposable {
  readonly #log: Log;
  readonly #apply: (config: Config) => Omit<Reload, "needsRestart">;
  /** As the gateway was started: what needs a restart is compared with it. */
  readonly #started: Config;
  #current: Config;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #error: string | undefined;
  #isOver = false;

  constructor(config: Config, log: Log, apply: (config: Config) => Omit<Reload, "needsRestart">) {
    this.#started = config;
    this.#current = config;
    this.#log = log;
    this.#apply = apply;
  }

  /** The newest good one. */
  get current(): Config {
    return this.#current;
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
      config = finishConfig(typeof source === "function" ? source() : source);
    } catch (thrown) {
      this.#refuse(thrown);
      throw thrown;
    }
    const wasBroken = this.#error !== undefined;
    this.#error = undefined;
    const needsRestart = this.#needsRestart(config);
    const isNew = !isDeepStrictEqual(this.#current, config);
    this.#current = config;
    const change = { ...this.#apply(config), needsRestart };
    if (isNew || wasBroken) this.#report(change);
    return change;
  }

  #refuse(thrown: unknown): void {
    const problems =
      thrown instanceof ConfigError
        ? thrown.format().split("\n")
        : [thrown instanceof Error ? thrown.message : String(thrown)];
    this.#error = redact(problems.join("\n"));
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

/** Throws ConfigError where it is wrong or would let strangers in. */
export function finishConfig(input: Config | ConfigInput): Config {
  const config = isFinished(input) ? input : loadConfig(input);
  const problem = checkBind(config);
  if (problem !== undefined) throw new ConfigError([problem]);
  return config;
}

function isFinished(input: Config | ConfigInput): input is Config {
  return "enableMetaMcp" in input;
}
