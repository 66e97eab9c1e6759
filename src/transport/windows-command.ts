// How a batch file is started on Windows, where only cmd.exe can run one. Pure text: no process is started here.

/** The words to spawn, and whether they are already quoted for the Windows command line. */
export interface SpawnWords {
  readonly words: string[];
  readonly isVerbatim: boolean;
}

/** `.cmd` and `.bat` (npx and most of its kind) go through `cmd /d /s /c`; everything else runs as it is. */
export function spawnWords(program: string, args: readonly string[], comspec: string): SpawnWords {
  if (!/\.(cmd|bat)$/i.test(program)) return { words: [program, ...args], isVerbatim: false };
  const line = [escapeForCmd(program), ...args.map((arg) => escapeForCmd(quote(arg)))].join(" ");
  return { words: [comspec, "/d", "/s", "/c", `"${line}"`], isVerbatim: true };
}

/** Quotes one argument by the rule that Windows programs split their command line by. */
function quote(arg: string): string {
  // Backslashes count only before a quote, where each must be doubled.
  return `"${arg.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, "$1$1")}"`;
}

/** A caret takes the meaning from every character that cmd.exe would act on, quotes included. */
function escapeForCmd(text: string): string {
  return text.replace(/[()\][%!^"`<>&|;, *?]/g, "^$&");
}
