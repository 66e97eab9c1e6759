// What installing or removing takes: files and commands, shown to the person before they are done. Knows no system.

import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Everything that a unit is made of. */
export interface Setup {
  readonly isUser: boolean;
  /** The program, and what of its arguments come before ours. */
  readonly program: readonly string[];
  /** Absolute. */
  readonly config: string;
  /** The search path for backends of a user. */
  readonly path: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** Who called sudo. */
  readonly account?: string | undefined;
}

/** systemd, launchd, the task scheduler. */
export interface ServiceSystem {
  install(setup: Setup): Plan;
  uninstall(setup: Setup): Plan;
  status(setup: Setup): string[];
}

export type Step = WriteStep | RemoveStep | RunStep;

interface WriteStep {
  readonly kind: "write";
  readonly path: string;
  readonly content: string;
  /** As the reader of the file wants it; UTF-16 gets its byte order mark. */
  readonly encoding?: "utf8" | "utf16le";
}

interface RemoveStep {
  readonly kind: "remove";
  readonly path: string;
}

interface RunStep {
  readonly kind: "run";
  readonly command: readonly string[];
  /** It fails where there is nothing to undo, and that is fine. */
  readonly mayFail?: boolean;
  /** One a second, where the system may still be busy with the step before. */
  readonly attempts?: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** What to know and to do afterwards. */
  readonly hints: readonly string[];
}

export function showPlan({ steps }: Plan): string {
  return steps.map(showStep).join("");
}

function showStep(step: Step): string {
  if (step.kind === "remove") return `  remove ${step.path}\n`;
  if (step.kind === "run") return `  run    ${step.command.map(quoted).join(" ")}\n`;
  const lines = step.content.trimEnd().split(/\r?\n/);
  return `  write  ${step.path}\n${lines.map((line) => `         | ${line}`.trimEnd()).join("\n")}\n`;
}

function quoted(word: string): string {
  return /^[\w./:@%=+,-]+$/.test(word) ? word : JSON.stringify(word);
}

/** Stops at the first step that fails, and says which. */
export async function perform({ steps }: Plan): Promise<void> {
  for (const step of steps) {
    if (step.kind === "write") write(step);
    else if (step.kind === "remove") rmSync(step.path, { force: true });
    else await runStep(step);
  }
}

/** By a rename: whoever reads the file meanwhile gets the old one or the new one. */
function write({ path, content, encoding = "utf8" }: WriteStep): void {
  const temporary = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, encoding === "utf16le" ? `\ufeff${content}` : content, { encoding });
  // A unit is no secret, and systemd complains about one that only root may read.
  chmodSync(temporary, 0o644);
  renameSync(temporary, path);
}

async function runStep({ command, mayFail = false, attempts = 1 }: RunStep): Promise<void> {
  const exitCode = await runCommand(command, mayFail ? "ignore" : "inherit");
  if (exitCode === 0 || mayFail) return;
  if (attempts > 1) {
    await Bun.sleep(1000);
    return await runStep({ kind: "run", command, attempts: attempts - 1 });
  }
  throw new Error(`"${command.join(" ")}" failed with exit code ${exitCode}; what came before it is done.`);
}

/** Resolves to the exit code. Rejects with a sentence where there is no such program. */
export async function runCommand(
  command: readonly string[],
  output: "inherit" | "ignore" = "inherit",
): Promise<number> {
  const [program = ""] = command;
  if (Bun.which(program) === null) {
    throw new Error(`There is no ${program} here, which starts services on this kind of system.`);
  }
  return await Bun.spawn([...command], { stdio: ["ignore", output, output] }).exited;
}
