// What README says of the configuration and of the code is true.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { withKeyTable } from "../scripts/readme-keys.ts";
import { loadConfig } from "../src/config/load.ts";

const readme = await Bun.file(join(import.meta.dir, "../README.md")).text();

test("the key table is the schema's", () => {
  expect(withKeyTable(readme)).toBe(readme);
});

test("the configuration that README shows is a good one", async () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const file = join(process.env.TMPDIR ?? "/tmp", `readme-${process.pid}.yaml`);
  await Bun.write(file, yaml);
  const config = loadConfig(file, {}, { env: { TAVILY_API_KEY: "a key of a test", HOME: "/home/somebody" } });
  expect(config.backends.map(({ name, problem }) => ({ name, problem }))).toEqual([
    { name: "tavily", problem: undefined },
    { name: "files", problem: undefined },
    { name: "docs", problem: undefined },
  ]);
});
