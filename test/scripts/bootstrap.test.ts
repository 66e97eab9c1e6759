import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const TOOLS = ["cat", "chmod", "cmp", "dirname", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "uname"];

/** A Bun of the pinned version, that notes what it was asked to install. */
const PINNED_BUN = `#!/bin/sh
case $1 in --version) echo 9.9.9 ;; install) echo "install $2" >>"$LOG"; mkdir -p node_modules; cat ;; esac`;

/** npm for a machine where two platform packages fit and the first one does not run, as with musl and glibc. */
const NPM = `#!/bin/sh
echo "npm $2" >>"$LOG"
cat # whatever is left on stdin would be lost to the program
while [ "$1" != --prefix ]; do shift; done
for platform in a b; do mkdir -p "$2/node_modules/@oven/bun-$platform/bin"; done
printf '#!/no/such/loader' >"$2/node_modules/@oven/bun-a/bin/bun"
printf '%s' "$PINNED_BUN" >"$2/node_modules/@oven/bun-b/bin/bun"
chmod +x "$2"/node_modules/@oven/bun-*/bin/bun`;

let folder: string;
let toolchain: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mcp-gateway bootstrap-"));
  toolchain = join(folder, "project/node_modules/.toolchain/bun-9.9.9");
  for (const tool of TOOLS) {
    const path = Bun.which(tool);
    if (path === null) throw new Error(`This machine has no ${tool}.`);
    mkdirSync(join(folder, "bin"), { recursive: true });
    symlinkSync(path, join(folder, "bin", tool));
  }
  writeProgram("project/scripts/show", `#!/bin/sh\n. "$(dirname -- "$0")/bootstrap"\necho "$bun"\ncat\n`);
  copyFileSync(join(import.meta.dir, "../../scripts/bootstrap"), join(folder, "project/scripts/bootstrap"));
  writeFileSync(join(folder, "project/package.json"), '{\n  "packageManager": "bun@9.9.9"\n}\n');
  writeFileSync(join(folder, "project/bun.lock"), "{}\n");
});

afterEach(() => rmSync(folder, { recursive: true }));

function writeProgram(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  chmodSync(join(folder, path), 0o755);
}

/** Runs the script that sources bootstrap and then prints $bun and its stdin. */
function bootstrap(): { exitCode: number; stdout: string; stderr: string; done: string } {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const { exitCode, stdout, stderr } = Bun.spawnSync([join(folder, "project/scripts/show")], {
    env: { PATH: join(folder, "bin"), LOG: log, PINNED_BUN },
    stdin: new Blob(["first message\n"]),
  });
  const done = Bun.spawnSync(["cat", log]).stdout.toString();
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString(), done };
}

test("with neither Bun nor npm, it says what to install", () => {
  const run = bootstrap();
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toBe("");
  expect(run.stderr).toContain("Install Node.js with npm");
  expect(run.stderr).toContain("Bun 9.9.9");
});

test("a pinned Bun on the PATH is used as it is", () => {
  writeProgram("bin/bun", PINNED_BUN);
  const run = bootstrap();
  expect(run.stdout).toBe(`${join(folder, "bin/bun")}\nfirst message\n`);
  expect(run.done).toBe("install --frozen-lockfile\n");
  expect(existsSync(toolchain)).toBe(false);
});

test("with another Bun, npm fetches the pinned one, and of its programs the one that runs is taken", () => {
  writeProgram("bin/bun", "#!/bin/sh\necho 1.0.0\n");
  writeProgram("bin/npm", NPM);
  const run = bootstrap();
  expect(run.stdout).toBe(`${join(toolchain, "bun")}\nfirst message\n`);
  expect(run.done).toBe("npm bun@9.9.9\ninstall --frozen-lockfile\n");
  expect(readdirSync(toolchain)).toEqual(["bun"]);
});

test("the second time there is nothing to do and nothing to say, until the lockfile changes", () => {
  writeProgram("bin/npm", NPM);
  bootstrap();
  expect(bootstrap()).toMatchObject({ exitCode: 0, stderr: "", done: "" });
  writeFileSync(join(folder, "project/bun.lock"), '{ "changed": true }\n');
  expect(bootstrap()).toMatchObject({ exitCode: 0, done: "install --frozen-lockfile\n" });
});

test("a failed download leaves nothing behind and says so", () => {
  writeProgram("bin/npm", "#!/bin/sh\nexit 1\n");
  const run = bootstrap();
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain("npm could not fetch bun@9.9.9");
  expect(readdirSync(toolchain)).toEqual([]);
});

test("a failed install is tried again", () => {
  writeProgram("bin/bun", "#!/bin/sh\n[ $1 = --version ] && echo 9.9.9\n");
  expect(bootstrap()).toMatchObject({ exitCode: 1, stdout: "" });
  writeProgram("bin/bun", PINNED_BUN);
  expect(bootstrap()).toMatchObject({ exitCode: 0, done: "install --frozen-lockfile\n" });
});
