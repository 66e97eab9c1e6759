// The catalogue of one backend on disk, so that it is known before the backend runs. Knows files; what is worth keeping
// is told to it. Nothing here may fail a call: a file that cannot be used costs a warning.

import { renameSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { BackendConfig } from "../config/config.ts";
import type { Log } from "../log.ts";
import { keepText, memberOf, objectOf, writeJson } from "../protocol/exact.ts";
import type { Json } from "../protocol/jsonrpc.ts";
import { readSmallText } from "../small-file.ts";
import type { CatalogRecord } from "./catalog.ts";
import type { HabitsRecord } from "./connection/habits.ts";
import type { LastGood } from "./drift.ts";
import type { EraRecord } from "./remembered-era.ts";
import { settingsHash } from "./settings-hash.ts";

/** Part of the folder's name: files of another form are another gateway's. */
const FORM = 2;
const WRITE_DELAY_MS = 300;
/** Files of settings that nobody has used for this long go. */
const FORGET_AFTER_MS = 30 * 24 * 3_600_000;
const HASH_LENGTH = 16;
/** More than the lists of one backend may take together. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

const JsonObject = Type.Record(Type.String(), Type.Unknown());
const EraName = Type.Union([Type.Literal("modern"), Type.Literal("legacy")]);

const FileSchema = Type.Object({
  form: Type.Literal(FORM),
  backend: Type.String(),
  settings: Type.String(),
  catalog: Type.Object({
    handshake: Type.Object({
      era: EraName,
      revision: Type.String(),
      description: Type.Object({
        serverInfo: Type.Intersect([
          JsonObject,
          Type.Object({ name: Type.String(), version: Type.String(), title: Type.Optional(Type.String()) }),
        ]),
        capabilities: JsonObject,
        instructions: Type.Optional(Type.String()),
        introduction: Type.Optional(JsonObject),
      }),
    }),
    lists: Type.Record(Type.String(), Type.Object({ items: Type.Array(JsonObject), rest: JsonObject })),
    listedAtMs: Type.Number(),
  }),
  traits: Type.Object({
    era: Type.Optional(
      Type.Object({ name: EraName, askedAtMs: Type.Number(), isOnly: Type.Optional(Type.Boolean()) }),
    ),
    extensions: Type.Optional(JsonObject),
    /** When each habit was seen last. Files of 2.0 have flags without a date, which are ignored. */
    habits: Type.Optional(Type.Record(Type.String(), Type.Number())),
  }),
  lastGood: Type.Optional(
    Type.Object({
      atMs: Type.Number(),
      serverVersion: Type.String(),
      packageVersion: Type.Optional(Type.String()),
      tools: Type.Record(Type.String(), Type.String()),
    }),
  ),
});

export interface CatalogFileRecord {
  readonly catalog: CatalogRecord;
  readonly traits: {
    readonly era?: EraRecord;
    readonly extensions?: Json;
    readonly habits?: HabitsRecord;
  };
  readonly lastGood?: LastGood;
}

export class CatalogFile implements AsyncDisposable {
  readonly path: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #settings: string;
  readonly #log: Log;
  #pending: (() => CatalogFileRecord | undefined) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #written = "";
  #hasPruned = false;

  constructor(cacheFolder: string, config: BackendConfig, log: Log) {
    this.#folder = join(cacheFolder, `catalogs-${FORM}`);
    this.#name = config.name;
    this.#settings = settingsHash(config);
    this.#log = log;
    this.path = join(this.#folder, `${config.name}.${this.#settings.slice(0, HASH_LENGTH)}.json`);
  }

  /** What an earlier run has kept; undefined where there is nothing that can be trusted. */
  read(): CatalogFileRecord | undefined {
    let text: string;
    try {
      text = readSmallText(this.path, MAX_FILE_BYTES);
    } catch (thrown) {
      if (codeOf(thrown) !== "ENOENT") this.#warn("the remembered catalogue cannot be read", thrown);
      return undefined;
    }
    const record = parse(text);
    if (record !== undefined && record.backend === this.#name && record.settings === this.#settings) {
      return record;
    }
    this.#setAside();
    return undefined;
  }

  /** Writes in a moment what is worth keeping then; what comes in quick succession is written once. */
  keep(make: () => CatalogFileRecord | undefined): void {
    this.#pending = make;
    this.#timer ??= setTimeout(() => this.#write(), WRITE_DELAY_MS);
  }

  /** Writes what is still to be written. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== undefined) this.#write();
    await this.#writing;
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const record = this.#pending?.();
    this.#pending = undefined;
    if (record === undefined) return;
    const text = writeJson({ form: FORM, backend: this.#name, settings: this.#settings, ...record });
    // One file at a time: the last to be written is the last to be known.
    this.#writing = this.#writing.then(() => this.#put(text));
  }

  async #put(text: string): Promise<void> {
    if (text === this.#written) return;
    const unfinished = `${this.path}.${crypto.randomUUID()}.tmp`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(unfinished, text, { mode: 0o600 });
      await rename(unfinished, this.path);
      this.#written = text;
      await this.#prune();
    } catch (thrown) {
      this.#warn("the catalogue cannot be kept", thrown);
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  }

  #setAside(): void {
    const aside = `${this.path}.corrupt`;
    try {
      renameSync(this.path, aside);
      this.#log.warning("the remembered catalogue was corrupt or of another program; it is set aside", {
        path: aside,
      });
    } catch (thrown) {
      this.#warn("the remembered catalogue is corrupt and cannot be set aside", thrown);
    }
  }

  /** This backend's files of settings that it no longer has. */
  async #prune(): Promise<void> {
    if (this.#hasPruned) return;
    this.#hasPruned = true;
    const names = (await readdir(this.#folder)).filter((name) => this.#isOldOne(name));
    for (const name of names) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs > FORGET_AFTER_MS) await rm(path, { force: true });
    }
  }

  #isOldOne(name: string): boolean {
    const rest = name.startsWith(`${this.#name}.`) ? name.slice(this.#name.length + 1) : "";
    return /^[0-9a-f]{16}\.json/.test(rest) && join(this.#folder, name) !== this.path;
  }

  #warn(what: string, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    this.#log.warning(what, { path: this.path, error });
  }
}

function parse(text: string): Static<typeof FileSchema> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!Value.Check(FileSchema, value)) return undefined;
    keepText(value, text);
    // Clients get the handshake and the lists as the server wrote them, so each part keeps its text.
    const catalog = objectOf(value, "catalog") ?? {};
    memberOf(catalog, "lists");
    const description = objectOf(objectOf(catalog, "handshake") ?? {}, "description") ?? {};
    for (const key of Object.keys(description)) memberOf(description, key);
    return value;
  } catch {
    return undefined; // No JSON: a torn or a foreign file.
  }
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}
