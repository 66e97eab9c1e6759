// The programs that check our files where a machine has them. Where it has not, the test says so for all to read.

/** Runs a checker, or says plainly that it is not there. Resolves to what it wrote, stdout first, and its exit code. */
export async function verify(
  command: readonly string[],
  options: { readonly env?: Record<string, string | undefined>; readonly cwd?: string } = {},
): Promise<{ stdout: string; output: string; exitCode: number } | undefined> {
  const [program = ""] = command;
  if (Bun.which(program) === null) {
    console.warn(`NOT CHECKED HERE: ${command.join(" ")} (this machine has no ${program})`);
    return;
  }
  const run = Bun.spawn([...command], {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { stdout, output: stdout + stderr, exitCode };
}
