// The gateway as a launchd job: the plist, and how it comes and goes.

import { join } from "node:path";
import type { ServiceSystem, Setup } from "./service-plan.ts";

const LABEL = "com.mcp.gateway";

export const launchd: ServiceSystem = {
  install: (setup) => ({
    steps: [
      { kind: "run", command: ["launchctl", "bootout", jobOf(setup)], mayFail: true },
      { kind: "write", path: plistPath(setup), content: plistOf(setup) },
      { kind: "run", command: ["launchctl", "enable", jobOf(setup)] },
      { kind: "run", command: ["launchctl", "bootstrap", domainOf(setup), plistPath(setup)], attempts: 5 },
    ],
    hints: [`its log:      tail -f ${logPath(setup)}`, `new settings: launchctl kill HUP ${jobOf(setup)}`],
  }),
  uninstall: (setup) => ({
    steps: [
      { kind: "run", command: ["launchctl", "bootout", jobOf(setup)], mayFail: true },
      { kind: "remove", path: plistPath(setup) },
    ],
    hints: [],
  }),
  status: (setup) => ["launchctl", "print", jobOf(setup)],
};

function domainOf({ isUser, uid }: Setup): string {
  return isUser ? `gui/${uid}` : "system";
}

function jobOf(setup: Setup): string {
  return `${domainOf(setup)}/${LABEL}`;
}

function plistPath({ isUser, home }: Setup): string {
  return isUser
    ? join(home, "Library/LaunchAgents", `${LABEL}.plist`)
    : join("/Library/LaunchDaemons", `${LABEL}.plist`);
}

function logPath({ isUser, home }: Pick<Setup, "isUser" | "home">): string {
  return isUser ? join(home, "Library/Logs/mcp-gateway.log") : "/Library/Logs/mcp-gateway.log";
}

function plistOf(setup: Setup): string {
  const { isUser, program, config, path, account } = setup;
  // A daemon would be root; backends are nothing that root should run.
  const owner = isUser || account === undefined ? {} : { account };
  return launchdPlist({ program, config, path, log: logPath(setup), ...owner });
}

interface Job extends Pick<Setup, "program" | "config" | "path"> {
  readonly account?: string;
  readonly log?: string;
}

export function launchdPlist({ program, config, path, account, log }: Job): string {
  const words = [...program, "--config", config];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xmlText(word)}</string>\n`).join("")}  </array>
${entry("UserName", account)}\
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>30</integer>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xmlText(path)}</string>
  </dict>
${entry("StandardErrorPath", log)}\
</dict>
</plist>
`;
}

function entry(key: string, value: string | undefined): string {
  return value === undefined ? "" : `  <key>${key}</key>\n  <string>${xmlText(value)}</string>\n`;
}

export function xmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
