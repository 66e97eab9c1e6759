// The command line that starts this program again, for the demo backend, the service and the restart.

/**
 * The first words of a command line that runs this program, before its own arguments. `programPath` replaces the path
 * of the compiled program, for a name that outlives an upgrade. From source, Bun runs the program.
 */
export function ownProgram(programPath = process.execPath): string[] {
  return Bun.isStandaloneExecutable ? [programPath] : [process.execPath, Bun.main];
}
