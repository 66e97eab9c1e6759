// `mcp-gateway service` as a person runs it, with a systemctl, launchctl and schtasks that only write down what they
// were told. Nothing of this machine's own services is touched.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const main = join(import.meta.dir, "../../src/main.ts");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A home folder with a configuration, and a PATH on which the system's commands are ours. */
class Person {
  readonly home = mkdtempSync(join(tmpdir(), "service-"));
  readonly config = join(this.home, ".config/mcp-gateway/servers.yaml");
  readonly #calls = join(this.home, "calls");
  readonly #bin = join(this.home, "bin");

  constructor(exitCode = 0) {
    folders.push(this.home);
    mkdirSync(join(this.config, ".."), { recursive: true });
    mkdirSync(this.#bin);
    writeFileSync(this.config, "backends: {}\n");
    for (const name of ["systemctl", "launchctl", "schtasks"]) {
      const path = join(this.#bin, name);
      writeFileSync(
        path,
        `#!/bin/sh\necho "${name} $*" >>"${this.#calls}"\necho said by ${name}\nexit ${exitCode}\n`,
      );
      chmodSync(path, 0o755);
    }
  }

  get calls(): string[] {
    return existsSync(this.#calls) ? readFileSync(this.#calls, "utf8").trimEnd().split("\n") : [];
  }

  get unit(): string {
    return process.platform === "darwin"
      ? join(this.home, "Library/LaunchAgents/com.mcp.gateway.plist")
      : join(this.home, ".config/systemd/user/mcp-gateway.service");
  }

  async service(args: readonly string[], path = `${this.#bin}${delimiter}${process.env.PATH}`) {
    const run = Bun.spawn([process.execPath, main, "service", ...args], {
      cwd: this.home,
      env: { PATH: path, HOME: this.home, USER: "someone" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    return { stdout, stderr, exitCode };
  }
}

/** What the system is told, here. */
const isMac = process.platform === "darwin";
const gui = `gui/${process.getuid?.()}`;
const INSTALLS = isMac
  ? [`bootout ${gui}/com.mcp.gateway`, `enable ${gui}/com.mcp.gateway`, `bootstrap ${gui} `]
  : ["--user daemon-reload", "--user enable mcp-gateway.service", "--user restart mcp-gateway.service"];
const REMOVES = isMac
  ? [`bootout ${gui}/com.mcp.gateway`]
  : ["--user disable --now mcp-gateway.service", "--user daemon-reload"];

function expectCalls(calls: readonly string[], expected: readonly string[]): void {
  const program = isMac ? "launchctl" : "systemctl";
  expect(calls).toEqual(expected.map((call) => expect.stringContaining(`${program} ${call}`)));
}

if (process.platform === "win32") {
  test("on Windows it is a task of the user, and says so", async () => {
    const { stderr, exitCode } = await new Person().service(["install", "--dry-run"]);
    expect([stderr, exitCode]).toEqual([
      "Error: On Windows the gateway is a task of one user: say --user.\n",
      1,
    ]);
  });
} else {
  describe("install", () => {
    test("shows what it will do, does it, and says what comes next", async () => {
      const person = new Person();
      const { stdout, stderr, exitCode } = await person.service(["install", "--user"]);
      expect([stderr, exitCode]).toEqual(["", 0]);
      const written = readFileSync(person.unit, "utf8");
      expect(written).toContain(person.config);
      for (const line of written.trimEnd().split("\n")) expect(stdout).toContain(`| ${line}`.trimEnd());
      expect(stdout.indexOf(`write  ${person.unit}`)).toBeLessThan(stdout.indexOf("It runs."));
      expect(stdout).toMatch(/It runs\.\n {2}its log: /);
      expectCalls(person.calls, INSTALLS);
      expect(readdirSync(join(person.unit, ".."))).toHaveLength(1);
    });

    test("a second time replaces the first", async () => {
      const person = new Person();
      await person.service(["install", "--user"]);
      const other = join(person.home, "other.yaml");
      writeFileSync(other, "backends: {}\n");
      expect((await person.service(["install", "--user", "-c", "other.yaml"])).exitCode).toBe(0);
      expect(readFileSync(person.unit, "utf8")).toContain(other);
      expectCalls(person.calls, [...INSTALLS, ...INSTALLS]);
    });

    test.each([["--user"], ["--dry-run"]])("with --dry-run does nothing (%s)", async (flag) => {
      const person = new Person();
      const { stdout, exitCode } = await person.service(["install", "--dry-run", flag]);
      expect(stdout).toMatch(/write {2}\S+(\.service|\.plist)\n/);
      expect(stdout).not.toContain("It runs.");
      expect([person.calls, existsSync(person.unit), exitCode]).toEqual([[], false, 0]);
    });

    test("without a configuration does nothing, and says what is missing", async () => {
      const person = new Person();
      const { stderr, exitCode } = await person.service(["install", "--user", "-c", "nowhere.yaml"]);
      expect(stderr).toBe(
        `Error: There is no ${person.home}/nowhere.yaml. Write it, or name another one with --config.\n`,
      );
      expect([person.calls, existsSync(person.unit), exitCode]).toEqual([[], false, 1]);
    });

    test("stops at the command that fails, and names it", async () => {
      const person = new Person(4);
      const { stdout, stderr, exitCode } = await person.service(["install", "--user"]);
      expect(stderr).toContain(" failed with exit code 4; what came before it is done.\n");
      expect(stdout).not.toContain("It runs.");
      expect(exitCode).toBe(1);
    });

    test("says so where the system has no such programs", async () => {
      const person = new Person();
      const { stderr, exitCode } = await person.service(["install", "--user"], person.home);
      expect(stderr).toMatch(/^Error: There is no (systemctl|launchctl) here/);
      expect(exitCode).toBe(1);
    });
  });

  test("uninstall stops it and removes the file, even where it never ran", async () => {
    const person = new Person();
    await person.service(["install", "--user"]);
    const { stdout, exitCode } = await person.service(["uninstall", "--user"]);
    expect(stdout).toContain(`remove ${person.unit}`);
    expect([existsSync(person.unit), existsSync(person.config), exitCode]).toEqual([false, true, 0]);
    expectCalls(person.calls, [...INSTALLS, ...REMOVES]);
  });

  test("status is the system's own, with its exit code", async () => {
    const { stdout, exitCode } = await new Person(3).service(["status", "--user"]);
    expect(stdout).toMatch(/^said by (systemctl|launchctl)\n$/);
    expect(exitCode).toBe(3);
  });
}
