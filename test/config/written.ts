// Configurations written to a folder of their own, and what loading them gives.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BackendConfig, Config } from "../../src/config/config.ts";
import { loadConfig, type Overrides } from "../../src/config/load.ts";
import { ConfigError, type ConfigProblem } from "../../src/config/problem.ts";

/** A folder that goes away with the scope. */
export class Folder implements Disposable {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "config-")));

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export interface Setting {
  readonly env?: Record<string, string>;
  readonly name?: string;
  readonly overrides?: Overrides;
  readonly platform?: NodeJS.Platform;
}

/** Loads a text as `servers.yaml`, with an environment of its own. The home folder is `/home/someone`. */
export function load(content: string | Uint8Array, setting: Setting = {}): Config {
  using folder = new Folder();
  const { env = {}, name = "servers.yaml", overrides = {}, platform = "linux" } = setting;
  folder.write(name, content);
  return loadConfig(name, overrides, { env, cwd: folder.path, home: "/home/someone", platform });
}

/** What a person would read on the terminal. */
export function complaints(content: string | Uint8Array, setting: Setting = {}): string[] {
  return problems(content, setting).map(
    (_, index, all) => new ConfigError(all).format().split("\n")[index] ?? "",
  );
}

export function problems(content: string | Uint8Array, setting: Setting = {}): readonly ConfigProblem[] {
  return problemsOf(() => load(content, setting));
}

export function problemsOf(run: () => unknown): readonly ConfigProblem[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems;
    throw thrown;
  }
  return [];
}

export function only(config: Config): BackendConfig {
  const [backend] = config.backends;
  if (backend === undefined || config.backends.length > 1) throw new Error("expected one backend");
  return backend;
}
