// Two sockets that are connected with each other, by the system's own call: Bun makes such a pair for each pipe of a child,
// and keeps both ends to itself.

export interface SocketPair {
  readonly ours: number;
  readonly theirs: number;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** Not for any other child. On macOS there is no such flag, and none gets what it was not given. */
const SOCK_CLOEXEC = process.platform === "linux" ? 0o2000000 : 0;

const MUSL = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
const LIBRARIES: { readonly [platform in NodeJS.Platform]?: readonly string[] } = {
  linux: ["libc.so.6", MUSL],
  darwin: ["libSystem.B.dylib"],
};

type Open = () => SocketPair | undefined;

let opening: Promise<Open> | undefined;

/** File descriptors; undefined where the system has no such call, or no descriptor left. */
export async function openSocketPair(): Promise<SocketPair | undefined> {
  opening ??= findSystemCall();
  return (await opening)();
}

/** Loaded with the first child: not everybody has one. */
async function findSystemCall(): Promise<Open> {
  const { dlopen, ptr } = await import("bun:ffi");
  const signature = { socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" } } as const;
  for (const library of LIBRARIES[process.platform] ?? []) {
    try {
      const { socketpair } = dlopen(library, signature).symbols;
      return () => {
        const ends = new Int32Array(2);
        const isOpen = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ptr(ends)) === 0;
        const [ours, theirs] = ends;
        return isOpen && ours !== undefined && theirs !== undefined ? { ours, theirs } : undefined;
      };
    } catch {
      // Another C library, or none.
    }
  }
  return () => undefined;
}
