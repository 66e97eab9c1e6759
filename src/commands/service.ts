// Installs the gateway as a service of the system or of the user, and removes it. Says what it will do, then does it.

import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { locateConfig } from "../config/locate.ts";
import { ownProgram } from "./own-program.ts";
import { printResult } from "./print.ts";
import { launchd } from "./service-launchd.ts";
import { perform, runCommand, type ServiceSystem, type Setup, showPlan } from "./service-plan.ts";
import { systemd } from "./service-systemd.ts";
import { windows } from "./service-windows.ts";

export interface ServiceOptions {
  readonly user?: boolean;
  readonly dryRun?: boolean;
  readonly config?: string;
}

export async function installService(options: ServiceOptions): Promise<void> {
  const setup = readSetup(options);
  const plan = systemOf(setup).install(setup);
  printResult(`To run as a service of ${ownerOf(setup)}:\n${showPlan(plan)}`.trimEnd());
  if (options.dryRun === true) return;
  checkRights(setup);
  checkPlaces(setup);
  await perform(plan);
  printResult(["It runs.", ...plan.hints.map((hint) => `  ${hint}`)].join("\n"));
}

export async function uninstallService(options: ServiceOptions): Promise<void> {
  const setup = readSetup(options);
  const plan = systemOf(setup).uninstall(setup);
  printResult(`To stop being a service of ${ownerOf(setup)}:\n${showPlan(plan)}`.trimEnd());
  if (options.dryRun === true) return;
  checkRights(setup);
  await perform(plan);
  printResult("It is gone. Configuration and state were left where they are.");
}

/** Ends with the exit code of the system's own command. */
export async function serviceStatus(options: ServiceOptions): Promise<void> {
  const setup = readSetup(options);
  process.exitCode = await runCommand(systemOf(setup).status(setup));
}

function systemOf({ isUser }: Setup): ServiceSystem {
  if (process.platform === "darwin") return launchd;
  if (process.platform !== "win32") return systemd;
  if (isUser) return windows;
  throw new Error("On Windows the gateway is a task of one user: say --user.");
}

function ownerOf({ isUser }: Setup): string {
  return isUser ? "this user" : "the system";
}

function readSetup(options: ServiceOptions): Setup {
  const isUser = options.user === true;
  const home = homedir();
  return {
    isUser,
    program: ownProgram(programPath()),
    config: resolve(options.config ?? defaultConfig(isUser, home)),
    path: isUser ? (process.env.PATH ?? "") : "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    home,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    account: process.env.SUDO_USER,
  };
}

/** The name by which it was found stays good over an upgrade; what a package manager's link points to does not. */
function programPath(): string {
  const found = Bun.which("mcp-gateway");
  return found !== null && realpathSync(found) === realpathSync(process.execPath) ? found : process.execPath;
}

function defaultConfig(isUser: boolean, home: string): string {
  if (!isUser) return "/etc/mcp-gateway/servers.yaml";
  const found = locateConfig();
  if (found !== undefined) return found;
  const own = process.platform === "win32" ? (process.env.APPDATA ?? home) : join(home, ".config");
  return join(own, "mcp-gateway", "servers.yaml");
}

function checkRights({ isUser, uid }: Setup): void {
  if (isUser || uid === 0) return;
  throw new Error("A service of the system takes root: use sudo, or --user for a service of your own.");
}

/** What would make the service fail at its first start. */
function checkPlaces({ isUser, program, config }: Setup): void {
  if (!existsSync(config)) {
    throw new Error(`There is no ${config}. Write it, or name another one with --config.`);
  }
  const hidden = [...program, config].find((path) => /^\/(?:home|root|run\/user)\//.test(path));
  if (!isUser && hidden !== undefined && process.platform === "linux") {
    throw new Error(
      `A service of the system sees no home folder, and ${hidden} is in one. Put the program into /usr/local/bin and ` +
        "the configuration into /etc/mcp-gateway, or use --user.",
    );
  }
  const cached = program.find((path) => path.includes("_npx") || path.includes("bunx-"));
  if (cached !== undefined) {
    throw new Error(
      `${cached} is a copy that npx may delete. Install it first: npm install --global mcp-gateway`,
    );
  }
}
