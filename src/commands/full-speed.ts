// What a built binary does while it starts it does once, so scripts/build keeps the compilers of the engine from it:
// compiling that code took a third of the start and 5 MB. Whoever goes on to serve asks for them here.

/** From now on what runs often is compiled. Nothing changes where the gateway runs from source. */
export function runAtFullSpeed(): void {
  useGlobalFunctions();
  Bun.unsafe.setJITPolicy(1);
}

/**
 * A global that is used for the first time changes the shape of the global object, and whatever was compiled to use
 * another one has to be compiled anew. Functions cost nothing but the look; classes would cost memory.
 */
function useGlobalFunctions(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (/^[a-z]/.test(name)) Reflect.get(globalThis, name);
  }
}
