// The gateway as a systemd service: the units, and how they come and go.

import { isAbsolute, join } from "node:path";
import type { ServiceSystem, Setup } from "./service-plan.ts";

const UNIT = "mcp-gateway.service";

export const systemd: ServiceSystem = {
  install: (setup) => ({
    steps: [
      { kind: "write", path: unitPath(setup), content: unitOf(setup) },
      { kind: "run", command: systemctl(setup, "daemon-reload") },
      { kind: "run", command: systemctl(setup, "enable", UNIT) },
      { kind: "run", command: systemctl(setup, "restart", UNIT) },
    ],
    hints: [
      `its log:        journalctl ${setup.isUser ? "--user " : ""}-u mcp-gateway -f`,
      `new settings:   ${systemctl(setup, "reload", "mcp-gateway").join(" ")}`,
      `its own secrets: NAME=value lines in ${environmentFile(setup)}`,
      ...(setup.isUser ? ["to run while you are logged out: loginctl enable-linger"] : []),
    ],
  }),
  uninstall: (setup) => ({
    steps: [
      { kind: "run", command: systemctl(setup, "disable", "--now", UNIT), mayFail: true },
      { kind: "remove", path: unitPath(setup) },
      { kind: "run", command: systemctl(setup, "daemon-reload") },
    ],
    hints: [],
  }),
  status: (setup) => systemctl(setup, "status", "--no-pager", UNIT),
};

function systemctl({ isUser }: Setup, ...args: string[]): string[] {
  return ["systemctl", ...(isUser ? ["--user"] : []), ...args];
}

function unitPath(setup: Setup): string {
  return setup.isUser ? join(configHome(setup), "systemd/user", UNIT) : join("/etc/systemd/system", UNIT);
}

function environmentFile(setup: Setup): string {
  return setup.isUser ? join(configHome(setup), "mcp-gateway/environment") : "/etc/mcp-gateway/environment";
}

function configHome({ env, home }: Setup): string {
  const xdg = env.XDG_CONFIG_HOME;
  return xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, ".config");
}

function unitOf({ isUser, program, config, path }: Setup): string {
  const [executable = "", ...args] = [...program, "--config", config];
  const command = [quoted(executable), ...args.map(unitWord)].join(" ");
  return isUser ? userUnit(command, unitWord(`PATH=${path}`)) : systemUnit(command);
}

/** Both: restarted whatever happens, save for a configuration that is wrong (exit code 2), which a person must mend. */
const COMMON = `Type=notify
Restart=always
RestartSec=10
RestartPreventExitStatus=2
WatchdogSec=60
TimeoutStopSec=30
ExecReload=/bin/kill -HUP $MAINPID
# The gateway ends its backends itself; what is left after that is killed.
KillMode=mixed
# A backend that eats all memory is no reason to end the others.
OOMPolicy=continue`;

/** Both arguments as they stand in a unit. */
export function userUnit(command: string, environment: string): string {
  return `# The gateway as a service of one user. To change it: systemctl --user edit mcp-gateway
[Unit]
Description=MCP gateway: one port for all MCP servers

[Service]
ExecStart=${command}
${COMMON}
# Secrets, one NAME=value a line, for the \${NAME} in servers.yaml.
EnvironmentFile=-%E/mcp-gateway/environment
# Where npx, uvx and docker are; the user manager has a shorter one.
Environment=${environment}
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
`;
}

export function systemUnit(command: string): string {
  return `# The gateway as a service of the system, with a user of its own. To change it: systemctl edit mcp-gateway
[Unit]
Description=MCP gateway: one port for all MCP servers
Wants=network-online.target
After=network.target network-online.target

[Service]
ExecStart=${command}
${COMMON}
# Secrets, one NAME=value a line, for the \${NAME} in servers.yaml; root alone need be able to read it.
EnvironmentFile=-/etc/mcp-gateway/environment

DynamicUser=yes
User=mcp-gateway
UMask=0077
StateDirectory=mcp-gateway
StateDirectoryMode=0700
CacheDirectory=mcp-gateway
CacheDirectoryMode=0700
# What npx and uvx fetch.
Environment=HOME=%S/mcp-gateway XDG_CACHE_HOME=%C/mcp-gateway

# Backends live under these rules, too. One that needs more gets it by \`systemctl edit mcp-gateway\`: a folder with
# ReadWritePaths=, Docker with SupplementaryGroups=docker, a browser with RestrictNamespaces=no and ProtectHome=no.
# MemoryDenyWriteExecute= is missing because JavaScript is compiled as it runs.
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** One word of a line: "$" names a variable there, save in the program's path, where systemd takes it as it is. */
function unitWord(word: string): string {
  return quoted(word.replaceAll("$", "$$$$"));
}

function quoted(word: string): string {
  const plain = word.replaceAll("%", "%%");
  return /^[\w./:=@%+,$-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, "\\$&")}"`;
}
