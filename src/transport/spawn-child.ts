// Starts the program of a backend, in a process group of its own, or says why it cannot be started.

import { stat } from "node:fs/promises";
import type { Subprocess } from "bun";
import type { StdioConfig } from "../config/config.ts";
import { childEnv, envValue } from "./child-env.ts";
import { type ChildInput, type ChildOutput, ChildPipes, SinkInput, StreamOutput } from "./child-pipes.ts";
import { findProgram } from "./find-program.ts";
import { holdChild } from "./held-children.ts";
import { MARK } from "./marked-processes.ts";
import { startConditions } from "./start-conditions.ts";
import { StartError } from "./transport.ts";
import { spawnWords } from "./windows-command.ts";
import { loadJobs } from "./windows-job.ts";

export interface Child {
  readonly process: Subprocess;
  readonly stdin: ChildInput;
  readonly stdout: ChildOutput;
  readonly stderr: ChildOutput;
}

/** What is wrong with a program that was found and still does not start; these stay until somebody mends them. */
const LASTING: Readonly<Record<string, string>> = {
  ENOENT: "the program that its first line (#!) names does not exist",
  ENOEXEC: "it is no program for this machine; if it is a script, its first line must name what runs it (#!)",
  EACCES: "permission denied",
  EPERM: "permission denied",
  E2BIG: "its arguments and environment are too long",
};

/** Rejects with a StartError, or with the signal's reason; then no process is left behind. */
export async function spawnChild(config: StdioConfig, signal: AbortSignal | undefined): Promise<Child> {
  try {
    return await spawnNow(config, signal);
  } catch (thrown) {
    if (!(thrown instanceof StartError && thrown.end.permanent)) throw thrown;
    const conditions = await startConditions(config);
    const hasChanged = async () => (await startConditions(config)) !== conditions;
    throw new StartError(thrown.end, { cause: thrown, hasChanged });
  }
}

async function spawnNow(config: StdioConfig, signal: AbortSignal | undefined): Promise<Child> {
  const [name = "", ...args] = config.argv;
  const { cwd = process.cwd(), keepsDetached = false } = config;
  const env = childEnv(config.env);
  if (!(await isDirectory(cwd))) {
    throw new StartError({ reason: `cannot start ${name}: its cwd ${cwd} is no directory`, permanent: true });
  }
  const program = await findProgram(name, { cwd, env });
  await loadJobs();
  const pipes = await ChildPipes.open();
  try {
    signal?.throwIfAborted();
    const child = startProcess(program, { args, cwd, env, keepsDetached, ...(pipes?.theirs ?? BUNS_PIPES) });
    const { stdin, stdout, stderr } = pipes ?? pipesOf(child);
    return { process: child, stdin, stdout, stderr };
  } catch (thrown) {
    pipes?.close();
    throw thrown;
  } finally {
    pipes?.releaseTheirs();
  }
}

interface Given {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly keepsDetached: boolean;
  /** Descriptors of ours, or pipes of Bun's. */
  readonly stdin: number | "pipe";
  readonly stdout: number | "pipe";
  readonly stderr: number | "pipe";
}

type Process = Subprocess<Given["stdin"], Given["stdout"], Given["stderr"]>;

const BUNS_PIPES = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;

/** Throws StartError. */
function startProcess(program: string, { args, cwd, env, keepsDetached, ...stdio }: Given): Process {
  const { words, isVerbatim } = spawnWords(program, args, envValue(env, "COMSPEC") ?? "cmd.exe");
  try {
    const start = (mark: string) =>
      Bun.spawn(words, {
        cwd,
        env: { ...env, [MARK]: mark },
        ...stdio,
        // A group of its own, so that all of it can be ended; Windows finds the tree by its root instead.
        detached: process.platform !== "win32",
        windowsHide: true,
        windowsVerbatimArguments: isVerbatim,
      });
    return holdChild(start, keepsDetached);
  } catch (error) {
    throw startError(program, error);
  }
}

function pipesOf({ stdin, stdout, stderr }: Process): Pick<Child, "stdin" | "stdout" | "stderr"> {
  if (stdin instanceof Object && stdout instanceof ReadableStream && stderr instanceof ReadableStream) {
    return {
      stdin: new SinkInput(stdin),
      stdout: new StreamOutput(stdout),
      stderr: new StreamOutput(stderr),
    };
  }
  throw new Error("a child without pipes: a bug in the gateway");
}

function startError(program: string, error: unknown): StartError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why = LASTING[code] ?? (error instanceof Error ? error.message : String(error));
  const reason = `cannot start ${program}: ${why}`;
  return new StartError({ reason, permanent: code in LASTING }, { cause: error });
}

function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
