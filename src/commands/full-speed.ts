// What a built binary does while it starts it does once, so scripts/build keeps the compilers of the engine from it:
// compiling that code took a third of the start and 5 MB. Whoever goes on to serve asks for them here.

/** From now on what runs often is compiled. Nothing changes where the gateway runs from source. */
export function runAtFullSpeed(): void {
  Bun.unsafe.setJITPolicy(1);
}
