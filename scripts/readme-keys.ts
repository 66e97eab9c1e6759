// Writes README's table of keys from the schema of servers.yaml. `--check` only tells whether it is stale (exit 1).

import { readFileSync, writeFileSync } from "node:fs";
import type { TObject } from "@sinclair/typebox";
import { BackendSchema, ConfigSchema } from "../src/config/schema.ts";
import { hintsOf } from "../src/config/shapes.ts";

const START = "<!-- keys:start -->";
const END = "<!-- keys:end -->";

/** The README with a fresh table between its two markers. */
export function withKeyTable(readme: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`README.md needs the markers ${START} and ${END}`);
  return `${readme.slice(0, start + START.length)}\n${keyTable()}\n${readme.slice(end)}`;
}

export function keyTable(): string {
  const { auth } = ConfigSchema.properties;
  const { tools } = BackendSchema.properties;
  const rows = [
    ...rowsOf(ConfigSchema, ""),
    ...rowsOf(auth, "auth."),
    ...rowsOf(BackendSchema, "backends.<name>."),
    ...rowsOf(tools, "backends.<name>.tools."),
  ];
  return ["| Key | Default | Meaning |", "|---|---|---|", ...rows].join("\n");
}

function rowsOf(schema: TObject, prefix: string): string[] {
  const properties = Object.entries(schema.properties);
  return properties
    .filter(([, property]) => property.description !== undefined && property.deprecated !== true)
    .filter(([, property]) => hintsOf(property).aliasOf === undefined && hintsOf(property).isForeign !== true)
    .map(([key, property]) => {
      const aliases = properties
        .filter(([, other]) => hintsOf(other).aliasOf === key)
        .map(([name]) => `\`${name}\``);
      const also = aliases.length === 0 ? "" : ` (also ${aliases.join(", ")})`;
      const fallback = [undefined, ""].includes(property.default) ? "" : `\`${String(property.default)}\``;
      return `| \`${prefix}${key}\`${also} | ${fallback} | ${property.description} |`;
    });
}

if (import.meta.main) {
  const readme = new URL("../README.md", import.meta.url);
  const written = readFileSync(readme, "utf8");
  const fresh = withKeyTable(written);
  if (!process.argv.includes("--check")) writeFileSync(readme, fresh);
  else if (fresh !== written) {
    process.stderr.write("README.md: the table of keys is stale; run bun scripts/readme-keys.ts\n");
    process.exitCode = 1;
  }
}
