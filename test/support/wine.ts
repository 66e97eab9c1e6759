// The Windows binary under Wine, on Linux. Debian's wine64 lacks one library that Bun asks for; it is built here with
// Debian's gcc-mingw-w64-x86-64.

import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinary } from "./binary.ts";
import { waitFor } from "./wait-for.ts";

const COMPILER = "x86_64-w64-mingw32-gcc";
const PROGRAM = "mcp-gateway.exe";

/** The export that Wine 8 lacks: random bytes. */
const PRNG = `
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
  while (size > 0) {
    ULONG part = size > 65536 ? 65536 : (ULONG)size;
    if (!SystemFunction036(data, part)) return FALSE;
    data += part;
    size -= part;
  }
  return TRUE;
}
`;

/** Why there is no Windows to test on; undefined if there is one. */
export function whyNoWine(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "Wine is only used on Linux x64";
  if (findWine() === undefined) return "Wine is missing: apt-get install wine64";
  if (Bun.which(COMPILER) === null) return `${COMPILER} is missing: apt-get install gcc-mingw-w64-x86-64`;
  return undefined;
}

function findWine(): string | undefined {
  const places = [Bun.which("wine64"), "/usr/lib/wine/wine64", "/usr/lib/wine/wine"];
  return places.find((place): place is string => place !== null && existsSync(place));
}

/** A Windows of its own, in a folder that goes away with it. */
export class Wine implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "mcp-gateway-wine-"));
  readonly #wine = findWine() ?? "wine64";

  /** Makes the prefix, and puts the program and the missing library into the working folder. */
  static async open(): Promise<Wine> {
    const wine = new Wine();
    copyFileSync(await findBinary("windows-x64"), join(wine.folder, PROGRAM));
    writeFileSync(join(wine.folder, "prng.c"), PRNG);
    const compile = [COMPILER, "-shared", "-o", "bcryptprimitives.dll", "prng.c", "-ladvapi32"];
    await wine.#must(compile);
    await wine.#must([wine.#wine, "wineboot", "--init"]);
    return wine;
  }

  /** The user's own folder, as Linux sees it. */
  get home(): string {
    return join(this.folder, "prefix/drive_c/users", process.env.USER ?? "root");
  }

  /** The path of a file in the working folder, as Windows sees it. */
  path(name: string): string {
    return `Z:${this.folder.replaceAll("/", "\\")}\\${name}`;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Starts the gateway with these arguments. */
  start(...args: string[]): WineRun {
    return new WineRun(
      Bun.spawn([this.#wine, PROGRAM, ...args], {
        cwd: this.folder,
        env: this.#env,
        stdio: ["pipe", "pipe", "pipe"],
      }),
    );
  }

  /** Runs the gateway to its end. */
  async run(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const run = this.start(...args);
    const exitCode = await run.exited();
    return { exitCode, stdout: run.stdout, stderr: run.stderr };
  }

  /** The Linux process ids of Windows processes whose command line has this word. */
  async processes(word: string): Promise<number[]> {
    const found = await Bun.$`pgrep -f ${word}`.nothrow().quiet().text();
    return found.split("\n").filter(Boolean).map(Number);
  }

  get #env(): Record<string, string | undefined> {
    const quiet = { WINEDEBUG: "-all", WINEDLLOVERRIDES: "mscoree,mshtml=", DISPLAY: undefined };
    return { ...process.env, ...quiet, WINEPREFIX: join(this.folder, "prefix") };
  }

  async #must(command: string[]): Promise<void> {
    const run = Bun.spawn(command, { cwd: this.folder, env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    const [errors, exitCode] = await Promise.all([run.stderr.text(), run.exited]);
    if (exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = Bun.which("wineserver") ?? "/usr/lib/wine/wineserver";
    const ended = Bun.spawn([server, "--kill"], { env: this.#env, stdio: ["ignore", "ignore", "ignore"] });
    await ended.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One run of the gateway under Wine. */
export class WineRun implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #read: Promise<unknown>;
  stdout = "";
  stderr = "";

  constructor(child: Bun.Subprocess<"pipe", "pipe", "pipe">) {
    this.#child = child;
    this.#read = Promise.all([
      collect(child.stdout, (text) => {
        this.stdout += text;
      }),
      collect(child.stderr, (text) => {
        this.stderr += text;
      }),
    ]);
  }

  /** Where it listens, when it does. */
  async url(): Promise<string> {
    const listening = /listens on (\S+)\/mcp/;
    await waitFor(() => listening.test(this.stderr) || this.#child.exitCode !== null, {
      timeoutMs: 60_000,
      what: "a gateway under Wine",
    });
    const url = listening.exec(this.stderr)?.[1];
    if (url === undefined) throw new Error(`It did not start:\n${this.stderr}`);
    return url;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async exited(): Promise<number> {
    const exitCode = await this.#child.exited;
    await this.#read;
    return exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited();
  }
}

async function collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) add(decoder.decode(chunk, { stream: true }));
}
