// How a batch file is started on Windows, where only cmd.exe can run one. Pure text: no process is started here.

/** The words to spawn, and whether they are already quoted for the Windows command line. */
export interface SpawnWords {
  readonly words: string[];
  readonly isVerbatim: boolean;
}

/** `.cmd` and `.bat` (npx and most of its kind) go through `cmd /d /s /c`; everything else runs as it is. */
export function spawnWords(program: string, args: readonly string[], comspec: string): SpawnWords {
  if (!/\.(cmd|bat)$/i.test(program)) return { words: [program, ...args], isVerbatim: false };
  const line = [escapeForCmd(program), ...args.map(batchArgument)].join(" ");
  return { words: [comspec, "/d", "/s", "/c", `"${line}"`], isVerbatim: true };
}

/**
 * cmd.exe parses the arguments of a batch file twice: once on its own command line, and once where the file passes them on
 * (`%*`, as npx.cmd and every shim of npm do). So special characters are escaped twice.
 */
function batchArgument(arg: string): string {
  return PLAIN.test(arg) ? arg : escapeForCmd(escapeForCmd(quote(arg)));
}

/** An argument without special characters for cmd.exe. It stays unquoted, so a file that reads `%1` finds it unchanged. */
const PLAIN = /^[\w./:@+~\\-]+$/;

/** Quotes one argument by the rule that Windows programs split their command line by. */
function quote(arg: string): string {
  // Backslashes count only before a quote, where each must be doubled.
  return `"${arg.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, "$1$1")}"`;
}

/** A caret takes the meaning from every character that cmd.exe would act on, quotes included. */
function escapeForCmd(text: string): string {
  return text.replace(/[()\][%!^"`<>&|;, *?]/g, "^$&");
}
