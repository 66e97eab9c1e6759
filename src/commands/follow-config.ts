// Keeps a running gateway at what its configuration file says: when the file changes, and when SIGHUP asks for it.

import type { Config } from "../config/config.ts";
import { FileWatch } from "../config/file-watch.ts";
import type { Overrides } from "../config/load.ts";
import { locateConfig } from "../config/locate.ts";
import { ConfigFileError } from "../config/problem.ts";
import { MAX_CONFIG_BYTES } from "../config/source.ts";
import type { Log } from "../log.ts";
import type { Reloadable } from "../reloading.ts";
import { readSmallText } from "../small-file.ts";
import { type CommonOptions, logFindings, readConfig } from "./config-option.ts";

/** One configuration, which may be read again and again. */
export interface ConfigSource extends Disposable {
  /** Throws ConfigError or ConfigFileError. */
  read(): Config;
  /** As `read`, for a gateway that runs: an emptied file is one that somebody is still writing. */
  readAgain(): Config;
  /** Every change since the source was opened. */
  onChange(changed: () => void): void;
}

/** Which file it is, is decided here and once; without any, it is the demo until there is one and SIGHUP comes. */
export function openConfig(options: CommonOptions, overrides: Overrides): ConfigSource {
  const path = locateConfig(options.config);
  const watch = path === undefined ? undefined : new FileWatch(path);
  const read = () => readConfig(path === undefined ? options : { ...options, config: path }, overrides);
  return {
    read,
    readAgain: () => {
      if (path === undefined) return read();
      refuseBlank(path);
      const config = read();
      refuseBlank(path);
      return config;
    },
    onChange: (changed) => watch?.start(changed),
    [Symbol.dispose]: () => watch?.[Symbol.dispose](),
  };
}

function refuseBlank(path: string): void {
  let text: string;
  try {
    text = readSmallText(path, MAX_CONFIG_BYTES);
  } catch {
    return; // Whoever reads it says why it cannot be read.
  }
  if (text.trim() !== "") return;
  throw new ConfigFileError(`${path} is empty; to have no backends, write "backends: {}"`);
}

export interface FollowOptions {
  readonly log: Log;
  readonly onBegin?: () => void;
  readonly onEnd?: () => void;
}

/** Until disposal. */
export function followConfig(running: Reloadable, source: ConfigSource, options: FollowOptions): Disposable {
  let isWaiting = false;
  const reload = async () => {
    // The one that waits for its turn will read whatever is there then.
    if (isWaiting) return;
    isWaiting = true;
    const before = running.config;
    try {
      await running.reload(() => {
        isWaiting = false;
        options.onBegin?.();
        return source.readAgain();
      });
      logFindings(options.log, running.config, before);
    } catch {
      // The gateway has said what is wrong, and goes on as before.
    } finally {
      options.onEnd?.();
    }
  };
  const onAsked = () => void reload();
  source.onChange(onAsked);
  // Windows has another meaning for it: the console was closed.
  if (process.platform !== "win32") process.on("SIGHUP", onAsked);
  return {
    [Symbol.dispose]: () => {
      source[Symbol.dispose]();
      process.off("SIGHUP", onAsked);
    },
  };
}
