// The gateway as a scheduled task of one user on Windows: the task, and how it comes and goes. A console program cannot
// be a Windows service by itself, and backends want the user's own programs and files.

import { join } from "node:path";
import { xmlText } from "./service-launchd.ts";
import type { ServiceSystem, Setup } from "./service-plan.ts";

const TASK = "mcp-gateway";

export const windows: ServiceSystem = {
  install: (setup) => ({
    steps: [
      { kind: "write", path: taskPath(setup), content: windowsTask(setup), encoding: "utf16le" },
      { kind: "run", command: ["schtasks", "/End", "/TN", TASK], mayFail: true },
      { kind: "run", command: ["schtasks", "/Create", "/F", "/TN", TASK, "/XML", taskPath(setup)] },
      { kind: "run", command: ["schtasks", "/Run", "/TN", TASK] },
    ],
    hints: [`new settings: schtasks /End /TN ${TASK}, then schtasks /Run /TN ${TASK}`],
  }),
  uninstall: (setup) => ({
    steps: [
      { kind: "run", command: ["schtasks", "/End", "/TN", TASK], mayFail: true },
      { kind: "run", command: ["schtasks", "/Delete", "/F", "/TN", TASK], mayFail: true },
      { kind: "remove", path: taskPath(setup) },
    ],
    hints: [],
  }),
  status: () => ["schtasks", "/Query", "/V", "/FO", "LIST", "/TN", TASK],
};

function taskPath({ env, home }: Setup): string {
  return join(env.LOCALAPPDATA ?? join(home, "AppData", "Local"), "mcp-gateway", "task.xml");
}

/** At logon, for as long as it likes (the scheduler's own limit is three days), again a minute after it ended. */
export function windowsTask({ program, config }: Pick<Setup, "program" | "config">): string {
  // `conhost --headless` keeps a console window off the screen.
  const words = ["--headless", ...program, "--config", config].map(windowsWord).join(" ");
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>MCP gateway: one port for all MCP servers</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>conhost.exe</Command>
      <Arguments>${xmlText(words)}</Arguments>
    </Exec>
  </Actions>
</Task>
`.replaceAll("\n", "\r\n");
}

/** Paths have no quotes on Windows, so spaces are all there is to care for. */
function windowsWord(word: string): string {
  return /[\s&()^;,=]/.test(word) ? `"${word}"` : word;
}
