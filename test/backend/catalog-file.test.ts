// The catalogue on disk: what is kept of it, how it is written, and what is done with a file that cannot be trusted.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Catalog } from "../../src/backend/catalog.ts";
import { CatalogFile, type CatalogFileRecord } from "../../src/backend/catalog-file.ts";
import { silentLog } from "../../src/log.ts";
import { keepText, textOf, writeJson } from "../../src/protocol/exact.ts";
import { registerSecret } from "../../src/shown.ts";
import { recordLog } from "../support/log-recorder.ts";
import { waitFor } from "../support/wait-for.ts";
import { configOf, TestFolder } from "./rig.ts";

const record: CatalogFileRecord = {
  catalog: {
    handshake: {
      era: "legacy",
      revision: "2025-06-18",
      description: {
        serverInfo: { name: "x", version: "1.2.3", more: [1] },
        capabilities: { tools: {} },
        instructions: "Read me.",
      },
    },
    lists: {
      "tools/list": { items: [{ name: "a", inputSchema: { type: "object" } }], rest: { ttlMs: 0 } },
      "prompts/list": { items: [], rest: {} },
    },
    listedAtMs: 1_700_000_000_000,
  },
  traits: { era: { name: "legacy", askedAtMs: 1 }, habits: { asks: 2 } },
  lastGood: { atMs: 5, serverVersion: "1.2.3", packageVersion: "9.9.9", tools: { a: "abcd" } },
};
const config = configOf("it", { command: "x", env: { TOKEN: "s3cret-value" } });

async function written(folder: string, of = config, what = record): Promise<CatalogFile> {
  const file = new CatalogFile(folder, of, silentLog);
  file.keep(() => what);
  await file[Symbol.asyncDispose]();
  return file;
}

test("what was kept is read again, whole", async () => {
  using folder = new TestFolder();
  await written(folder.path);
  expect(new CatalogFile(folder.path, config, silentLog).read()).toMatchObject(record);
});

test("nothing is read where nothing was kept, and nothing is said of it", () => {
  using folder = new TestFolder();
  const { log, lines } = recordLog();
  expect(new CatalogFile(folder.path, config, log).read()).toBeUndefined();
  expect(lines).toEqual([]);
});

test("nobody else may read it, and no unfinished file is left beside it", async () => {
  using folder = new TestFolder();
  const { path } = await written(folder.path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(path, ".."))).toHaveLength(1);
});

test("it holds what the server said, to the letter, also if a part of it is a registered secret", async () => {
  using folder = new TestFolder();
  registerSecret("customer");
  const tool = '{"name":"get_customer","2":1.0,"1":[1e400,12345678901234567890],"a":1,"a":"\\u00e9\\/"}';
  const rest = keepText({ ttlMs: 0 }, '{"ttlMs":0,"_meta":{"n":-0}}');
  const lists = { "tools/list": { items: [keepText(JSON.parse(tool), tool)], rest } };
  await written(folder.path, config, { ...record, catalog: { ...record.catalog, lists } });
  const read = new CatalogFile(folder.path, config, silentLog).read();
  const catalog = new Catalog();
  catalog.restore(read?.catalog ?? record.catalog);
  const whole = catalog.whole("tools/list");
  expect([writeJson(whole?.items), writeJson(whole?.rest)]).toEqual([`[${tool}]`, textOf(rest) ?? ""]);
  expect(catalog.learnList("tools/list", { items: [keepText(JSON.parse(tool), tool)], rest })).toBe(false);
});

test("it holds no secret of the settings", async () => {
  using folder = new TestFolder();
  const { path } = await written(folder.path);
  expect(readFileSync(path, "utf8")).not.toContain("s3cret-value");
});

describe("each of these settings has a file of its own:", () => {
  const base = { command: "x", args: ["a"], env: { A: "1" } };
  const others = {
    command: { ...base, command: "y" },
    args: { ...base, args: ["a", "b"] },
    "the name of a variable": { ...base, env: { B: "1" } },
    "the value of a variable": { ...base, env: { A: "2" } },
    cwd: { ...base, cwd: "/" },
    protocol: { ...base, protocol: "2025-06-18" },
    url: { url: "http://127.0.0.1:1/mcp" },
    "another url": { url: "http://127.0.0.1:2/mcp" },
    headers: { url: "http://127.0.0.1:1/mcp", headers: { A: "1" } },
  };
  test.each(Object.entries(others))("%s", (_what, entry) => {
    const paths = Object.values({ base, ...others }).map(
      (other) => new CatalogFile("/cache", configOf("it", other), silentLog).path,
    );
    const own = new CatalogFile("/cache", configOf("it", entry), silentLog).path;
    expect(paths.filter((path) => path === own)).toHaveLength(1);
  });

  test("texts, timeouts and limits are none of them", () => {
    const more = { description: "d", idle_timeout: 1, max_concurrency: 2, env: { A: "1" } };
    const path = (entry: object) => new CatalogFile("/cache", configOf("it", { ...entry }), silentLog).path;
    expect(path({ ...base, ...more })).toBe(path(base));
  });
});

describe("a file that cannot be trusted is set aside with a warning:", () => {
  const good = JSON.stringify({ form: 2, backend: "it", settings: "", ...record });
  const bad = {
    "it is torn": good.slice(0, 100),
    "it is empty": "",
    "it is of another program": '{"hello": "world"}',
    "it is of other settings": good,
    "a list holds what is no object": good.replace('"items":[{', '"items":[5,{'),
    "it has another form": good.replace('"form":2', '"form":99'),
  };
  test.each(Object.entries(bad))("%s", async (_why, text) => {
    using folder = new TestFolder();
    const { path } = await written(folder.path);
    writeFileSync(path, text);
    const { log, lines } = recordLog();
    expect(new CatalogFile(folder.path, config, log).read()).toBeUndefined();
    expect(lines).toMatchObject([{ level: "WARNING", path: `${path}.corrupt` }]);
    expect(readFileSync(`${path}.corrupt`, "utf8")).toBe(text);
    await written(folder.path);
    expect(new CatalogFile(folder.path, config, log).read()).toBeDefined();
  });
});

test("what comes in quick succession is written once, without an end being waited for", async () => {
  using folder = new TestFolder();
  const file = new CatalogFile(folder.path, config, silentLog);
  let made = 0;
  const keep = () =>
    file.keep(() => {
      made += 1;
      return record;
    });
  for (let times = 0; times < 50; times++) keep();
  await waitFor(() => new CatalogFile(folder.path, config, silentLog).read());
  expect(made).toBe(1);
  await file[Symbol.asyncDispose]();
});

test("a folder that cannot be written costs a warning and nothing else", async () => {
  using folder = new TestFolder();
  const inTheWay = join(folder.path, "file");
  writeFileSync(inTheWay, "");
  const { log, lines } = recordLog();
  const file = new CatalogFile(inTheWay, config, log);
  expect(file.read()).toBeUndefined();
  file.keep(() => record);
  await file[Symbol.asyncDispose]();
  expect(lines.at(-1)).toMatchObject({ level: "WARNING", message: "the catalogue cannot be kept" });
});

test("files of settings that this backend has not had for a month go; those of others stay", async () => {
  using folder = new TestFolder();
  const old = await written(folder.path, configOf("it", { command: "old" }));
  const recent = await written(folder.path, configOf("it", { command: "recent" }));
  const other = await written(folder.path, configOf("it.too", { command: "old" }));
  for (const { path } of [old, other]) utimesSync(path, 1, 1);
  const { path } = await written(folder.path);
  const names = readdirSync(join(path, ".."));
  expect(names.map((name) => join(path, "..", name)).sort()).toEqual([path, recent.path, other.path].sort());
});
