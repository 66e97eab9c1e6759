// The unit files: that they are those that the program writes, that they say what they must, and that systemd and
// property-list readers take them.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNITS } from "../../scripts/packaging/units.ts";
import { launchd } from "../../src/commands/service-launchd.ts";
import { systemd } from "../../src/commands/service-systemd.ts";
import { windowsTask } from "../../src/commands/service-windows.ts";
import { verify } from "./verifier.ts";

const packaging = join(import.meta.dir, "../../scripts/packaging");
const folder = mkdtempSync(join(tmpdir(), "units-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SYSTEM = "systemd/system/mcp-gateway.service";
const USER = "systemd/user/mcp-gateway.service";
const PLIST = "launchd/com.mcp.gateway.plist";
/** Paths that every reader would take apart if they were not quoted; systemd starts no program with quotes in its path. */
const ODD = join(folder, "a b $HOME 100% & <c>");
const ODDER = join(folder, `a "b" \\ $HOME 100% & <c>`);

const setup = {
  isUser: true,
  program: [join(ODD, "mcp-gateway")],
  config: join(ODDER, "servers.yaml"),
  path: `${ODDER}:/usr/bin`,
  home: "/Users/someone",
  env: {},
  uid: 501,
};

/** The settings of a unit, by section; a key that stands twice has all its values. */
function parseUnit(text: string): Record<string, Record<string, string[]>> {
  const sections: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> = {};
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const head = /^\[(\w+)\]$/.exec(line)?.[1];
    const [key = "", value] = line.split(/=(.*)/s);
    if (head !== undefined) section = sections[head] = {};
    else if (value === undefined) throw new Error(`not a line of a unit: ${line}`);
    else section[key] = [...(section[key] ?? []), value];
  }
  return sections;
}

test.each(Object.keys(UNITS))(
  "%s is what the program writes (else: bun scripts/packaging/units.ts)",
  (name) => {
    expect(readFileSync(join(packaging, name), "utf8")).toBe(UNITS[name] ?? "");
  },
);

describe("the systemd units", () => {
  test("start, watch and restart as users were promised", () => {
    const { Unit, Service, Install } = parseUnit(UNITS[SYSTEM] ?? "");
    expect(Unit?.After?.[0]).toContain("network.target");
    expect(Service).toMatchObject({
      ExecStart: ["/usr/local/bin/mcp-gateway --config /etc/mcp-gateway/servers.yaml"],
      Type: ["notify"],
      WatchdogSec: ["60"],
      Restart: ["always"],
      RestartSec: ["10"],
      ExecReload: ["/bin/kill -HUP $MAINPID"],
    });
    expect(Install?.WantedBy).toEqual(["multi-user.target"]);
    expect(parseUnit(UNITS[USER] ?? "").Install?.WantedBy).toEqual(["default.target"]);
  });

  test("give the service of the system a user of its own, and nothing else to write to", () => {
    expect(parseUnit(UNITS[SYSTEM] ?? "").Service).toMatchObject({
      DynamicUser: ["yes"],
      User: ["mcp-gateway"],
      StateDirectory: ["mcp-gateway"],
      CacheDirectory: ["mcp-gateway"],
      ProtectSystem: ["strict"],
      ProtectHome: ["yes"],
      NoNewPrivileges: ["yes"],
      CapabilityBoundingSet: [""],
      SystemCallFilter: ["@system-service", "~@privileged"],
    });
  });

  /** As installed, with a program that is there. */
  function install(name: string, content = UNITS[name] ?? ""): string {
    const path = join(folder, crypto.randomUUID(), "mcp-gateway.service");
    mkdirSync(join(path, ".."));
    writeFileSync(path, content.replace("/usr/local/bin/mcp-gateway", "/bin/true"));
    return path;
  }

  const verifyEnv = { XDG_RUNTIME_DIR: folder, SYSTEMD_LOG_LEVEL: "warning" };

  test("pass systemd's own check", async () => {
    for (const [name, manager] of [
      [SYSTEM, "--system"],
      [USER, "--user"],
    ] as const) {
      const checked = await verify(["systemd-analyze", "verify", manager, install(name)], { env: verifyEnv });
      expect(checked?.output ?? "").toBe("");
      expect(checked?.exitCode ?? 0).toBe(0);
    }
  });

  test("are hardened by systemd's own measure", async () => {
    const measure = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"];
    const checked = await verify([...measure, install(SYSTEM)]);
    expect(checked?.output ?? "→ Overall exposure level").toContain("→ Overall exposure level");
    expect(checked?.exitCode ?? 0).toBe(0);
  });

  test("name programs and files whatever stands in their paths", async () => {
    mkdirSync(ODD, { recursive: true });
    copyFileSync("/bin/true", join(ODD, "mcp-gateway"));
    chmodSync(join(ODD, "mcp-gateway"), 0o755);
    const { steps } = systemd.install(setup);
    const unit = steps.find((step) => step.kind === "write")?.content ?? "";
    expect(unit).toContain('/a b $HOME 100%% & <c>/mcp-gateway" --config ');
    expect(unit).toContain('/a \\"b\\" \\\\ $$HOME 100%% & <c>/servers.yaml"');
    const path = install(USER, unit);
    const checked = await verify(["systemd-analyze", "verify", "--user", path], { env: verifyEnv });
    expect(checked?.output ?? "").toBe("");
  });
});

describe("the launchd plist", () => {
  const READ = "import plistlib,json,sys; print(json.dumps(plistlib.load(sys.stdin.buffer)))";

  async function read(content: string): Promise<unknown> {
    const path = join(folder, `${crypto.randomUUID()}.plist`);
    writeFileSync(path, content);
    const lint = process.platform === "darwin" ? await verify(["plutil", "-lint", path]) : undefined;
    expect(lint?.exitCode ?? 0).toBe(0);
    const parsed = await verify([
      "sh",
      "-c",
      `command -v python3 >/dev/null && python3 -c '${READ}' <'${path}'`,
    ]);
    if (parsed?.exitCode === 0) return JSON.parse(parsed.output);
    console.warn("NOT CHECKED HERE: the plist by a property-list reader (this machine has no python3)");
    return;
  }

  test("keeps the promised program running from load on", async () => {
    const expected = {
      Label: "com.mcp.gateway",
      ProgramArguments: ["/usr/local/bin/mcp-gateway", "--config", "/etc/mcp-gateway/servers.yaml"],
      RunAtLoad: true,
      KeepAlive: true,
      ThrottleInterval: 10,
    };
    expect((await read(UNITS[PLIST] ?? "")) ?? expected).toMatchObject(expected);
  });

  test("names programs and files whatever stands in their paths, and an account where root installs it", async () => {
    const content = (isUser: boolean) =>
      launchd.install({ ...setup, isUser, account: "someone" }).steps.find((step) => step.kind === "write")
        ?.content;
    const own = {
      ProgramArguments: [...setup.program, "--config", setup.config],
      EnvironmentVariables: { PATH: setup.path },
      StandardErrorPath: "/Users/someone/Library/Logs/mcp-gateway.log",
    };
    expect((await read(content(true) ?? "")) ?? own).toMatchObject(own);
    expect(content(true)).not.toContain("UserName");
    const daemon = { ...own, UserName: "someone", StandardErrorPath: "/Library/Logs/mcp-gateway.log" };
    expect((await read(content(false) ?? "")) ?? daemon).toMatchObject(daemon);
  });
});

test("the Windows task runs without a window and without a limit of time", () => {
  const program = ["C:\\Program Files\\R&D\\mcp-gateway.exe"];
  const task = windowsTask({ program, config: "C:\\Users\\x\\servers.yaml" });
  const args = /<Arguments>(.*)<\/Arguments>/.exec(task)?.[1];
  expect(args).toBe(
    "--headless &quot;C:\\Program Files\\R&amp;D\\mcp-gateway.exe&quot; --config C:\\Users\\x\\servers.yaml",
  );
  expect(task).toContain("<Command>conhost.exe</Command>");
  expect(task).toContain("<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>");
});
