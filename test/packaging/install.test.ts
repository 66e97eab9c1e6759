// install.sh against a release that is served by this machine, for machines of every kind by what `uname` says.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryName, hostTarget, isTarget, TARGETS } from "../../scripts/targets.ts";
import { findBinary } from "../support/binary.ts";
import { verify } from "./verifier.ts";

const packaging = join(import.meta.dir, "../../scripts/packaging");
const script = join(packaging, "install.sh");
const folder = mkdtempSync(join(tmpdir(), "install-"));
const release = join(folder, "release");
const host = hostTarget();
let site: Bun.Server<undefined>;

/** A program that says what the real one would. */
const standIn = (target: string) => `#!/bin/sh\necho mcp-gateway of ${target}\n`;

beforeAll(async () => {
  mkdirSync(release);
  for (const target of TARGETS) writeFileSync(join(release, binaryName(target)), standIn(target));
  copyFileSync(await findBinary(), join(release, binaryName(host)));
  const sum = (target: string) =>
    isTarget(target)
      ? `${new Bun.CryptoHasher("sha256").update(readFileSync(join(release, binaryName(target)))).digest("hex")}  ${binaryName(target)}\n`
      : "";
  writeFileSync(join(release, "SHA256SUMS"), TARGETS.map(sum).join(""));
  site = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const file = Bun.file(join(release, new URL(request.url).pathname));
      return (await file.exists()) ? new Response(file) : new Response("", { status: 404 });
    },
  });
});

afterAll(() => {
  void site.stop(true);
  rmSync(folder, { recursive: true });
});

interface Machine {
  /** What its own programs print, instead of this machine's. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Programs of this machine that it does not have. */
  readonly without?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const NEEDED =
  "sh awk cat chmod curl grep id ldd mkdir mktemp mv rm sha256sum shasum sysctl uname wget".split(" ");

/** Runs the script on a machine with a home of its own. */
async function install({ programs = {}, without = [], env = {} }: Machine = {}) {
  const home = mkdtempSync(join(folder, "home-"));
  const bin = join(home, "system-bin");
  mkdirSync(bin);
  for (const name of NEEDED) {
    const path = join(bin, name);
    const found = Bun.which(name);
    if (programs[name] !== undefined) {
      writeFileSync(path, `#!/bin/sh\n${programs[name]}\n`);
      chmodSync(path, 0o755);
    } else if (found !== null && !without.includes(name)) symlinkSync(found, path);
  }
  const run = Bun.spawn([join(bin, "sh"), script], {
    cwd: home,
    env: {
      PATH: bin,
      HOME: home,
      MCP_GATEWAY_DOWNLOAD: site.url.origin,
      // The tests may run as root, who would get it for all.
      MCP_GATEWAY_BIN: join(home, ".local/bin"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  const target = join(home, ".local/bin");
  const files = existsSync(target) ? readdirSync(target) : [];
  return { home, target, files, stdout, stderr, exitCode };
}

const uname = (system: string, processor: string) => ({
  uname: `if [ "$1" = -s ]; then echo ${system}; else echo ${processor}; fi`,
});
const glibc = { ldd: "echo 'ldd (GNU libc) 2.36'" };
const musl = { ldd: "echo 'musl libc (x86_64)' >&2; exit 1" };

if (process.platform === "win32") {
  test("install.sh is for other systems", () => expect(existsSync(script)).toBe(true));
} else {
  describe("install.sh", () => {
    test("installs the binary of this machine, runs it, and leaves nothing else", async () => {
      const { target, files, stdout, stderr, exitCode } = await install();
      expect(files).toEqual(["mcp-gateway"]);
      expect(stderr).toContain(`, ${host}) is installed as ${target}/mcp-gateway.`);
      expect(stderr).toContain(`export PATH="${target}:$PATH"`);
      expect([stdout, exitCode]).toEqual(["", 0]);
      const { stdout: version } = Bun.spawnSync([join(target, "mcp-gateway"), "--version"]);
      expect(version.toString()).toContain(host);
    });

    test.each([
      ["Linux", "x86_64", glibc, "linux-x64"],
      ["Linux", "aarch64", glibc, "linux-arm64"],
      ["Linux", "x86_64", musl, "linux-x64-musl"],
      ["Linux", "aarch64", musl, "linux-arm64-musl"],
      ["Darwin", "x86_64", { sysctl: "echo 0" }, "macos-x64"],
      ["Darwin", "x86_64", { sysctl: "echo 1" }, "macos-arm64"],
      ["Darwin", "arm64", { sysctl: "exit 1" }, "macos-arm64"],
    ])("takes %s on %s for what it is", async (system, processor, programs, target) => {
      const { stderr } = await install({ programs: { ...uname(system, processor), ...programs } });
      expect(stderr).toStartWith(`Fetching mcp-gateway-${target} ...\n`);
      if (target !== host) expect(stderr).toContain(`mcp-gateway of ${target} is installed as `);
    });

    test.each([
      [["curl"], "wget"],
      [["wget", "sha256sum"], "curl and shasum"],
    ])("without %s works with %s", async (without, _) => {
      const isPossible = ["curl", "wget", "sha256sum", "shasum"]
        .filter((name) => !without.includes(name))
        .some((name) => Bun.which(name) !== null);
      expect(isPossible).toBe(true);
      const { files, exitCode } = await install({ without });
      expect([files, exitCode]).toEqual([["mcp-gateway"], 0]);
    });

    describe("installs nothing", () => {
      test("when the bytes are not those that were released", async () => {
        const path = join(release, "mcp-gateway-linux-arm64-musl");
        writeFileSync(path, `${standIn("linux-arm64-musl")}# and one line more\n`);
        try {
          const { files, stderr, exitCode } = await install({
            programs: { ...uname("Linux", "aarch64"), ...musl },
          });
          expect(stderr).toContain("What was fetched is not what was released");
          expect([files, exitCode]).toEqual([[], 1]);
        } finally {
          writeFileSync(path, standIn("linux-arm64-musl"));
        }
      });

      test("when the release does not name the binary", async () => {
        const programs = { ...uname("Linux", "aarch64"), ...glibc, awk: "true" };
        const { files, stderr, exitCode } = await install({ programs });
        expect(stderr).toContain("The release's SHA256SUMS has no mcp-gateway-linux-arm64.");
        expect([files, exitCode]).toEqual([[], 1]);
      });

      test("when there is no such release", async () => {
        const { files, stderr, exitCode } = await install({ env: { MCP_GATEWAY_DOWNLOAD: `${site.url}v0` } });
        expect(stderr).toContain("/v0/SHA256SUMS could not be fetched.");
        expect([files, exitCode]).toEqual([[], 1]);
      });

      test.each([
        ["FreeBSD", "amd64", "There is no binary for FreeBSD here."],
        ["Linux", "riscv64", "There is no binary for the processor riscv64."],
      ])("on %s %s", async (system, processor, message) => {
        const { files, stderr, exitCode } = await install({ programs: uname(system, processor) });
        expect(stderr).toStartWith(message);
        expect([files, exitCode]).toEqual([[], 1]);
      });

      test("without a way to check what it fetched", async () => {
        const { files, stderr, exitCode } = await install({ without: ["sha256sum", "shasum"] });
        expect(stderr).toContain("This needs sha256sum or shasum");
        expect([files, exitCode]).toEqual([[], 1]);
      });

      test("when the binary does not run, and tells Alpine what it lacks", async () => {
        const name = join(release, "mcp-gateway-linux-arm64-musl");
        const sums = join(release, "SHA256SUMS");
        const [before, sumsBefore] = [readFileSync(name), readFileSync(sums, "utf8")];
        const broken = "#!/bin/sh\nexit 127\n";
        writeFileSync(name, broken);
        const sum = new Bun.CryptoHasher("sha256").update(broken).digest("hex");
        writeFileSync(sums, `${sum}  mcp-gateway-linux-arm64-musl\n`);
        try {
          const { files, stderr, exitCode } = await install({
            programs: { ...uname("Linux", "arm64"), ...musl },
          });
          expect(stderr).toContain("does not run here. It needs the C++ library: apk add libstdc++");
          expect([files, exitCode]).toEqual([[], 1]);
        } finally {
          writeFileSync(name, before);
          writeFileSync(sums, sumsBefore);
        }
      });
    });

    test("names its releases by the repository that it was released from", () => {
      const text = readFileSync(script, "utf8");
      expect(text.match(/@REPOSITORY@/g)).toHaveLength(1);
      expect(text).toContain("releases=https://github.com/$repository/releases");
      expect(text.trimEnd()).toEndWith("\nmain");
    });

    test("pleases shellcheck", async () => {
      const checked = await verify(["shellcheck", script]);
      expect(checked?.output ?? "").toBe("");
    });
  });
}

describe("install.ps1", () => {
  test("knows the same binaries, the same variables and the same check", () => {
    const text = readFileSync(join(packaging, "install.ps1"), "utf8");
    for (const target of TARGETS.filter((name) => name.startsWith("windows")))
      expect(text).toContain(`'${target}'`);
    for (const variable of ["VERSION", "BIN", "DOWNLOAD"])
      expect(text).toContain(`$env:MCP_GATEWAY_${variable}`);
    expect(text.indexOf("Get-FileHash")).toBeLessThan(text.indexOf("Move-Item -Force $staging $program"));
  });

  test("is PowerShell", async () => {
    const parse = `$null = [ScriptBlock]::Create((Get-Content -Raw '${join(packaging, "install.ps1")}'))`;
    const checked = await verify(["pwsh", "-NoProfile", "-Command", parse]);
    expect(checked?.output ?? "").toBe("");
  });
});
