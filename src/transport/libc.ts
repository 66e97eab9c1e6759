// Calls of the C library that Bun does not offer. Loaded at first use, because not every command needs them.

export interface Libc {
  /** A pipe whose descriptors no child inherits by accident; undefined if no descriptors are left. */
  openPipe(): Pipe | undefined;
  /** Makes reads and writes on a descriptor of ours return at once. False if the system refuses. */
  setNonBlocking(fd: number): boolean;
  /** Sets the capacity of a pipe in bytes. False if the system refuses, or has no call for it. */
  resizePipe(fd: number, bytes: number): boolean;
  /** Reaps a child that Bun did not start. Does not block. */
  reap(pid: number): void;
  /** Forbids other processes of the same user to read this process's memory and environment. False if the system refuses. */
  forbidReading(): boolean;
}

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

const MUSL = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
const LIBRARIES: { readonly [platform in NodeJS.Platform]?: readonly string[] } = {
  linux: ["libc.so.6", MUSL],
  darwin: ["libSystem.B.dylib"],
};

const F_GETFL = 3;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = process.platform === "darwin" ? 0x4 : 0o4000;
const O_CLOEXEC = 0o2000000;
const WNOHANG = 1;
const PR_SET_DUMPABLE = 4;

let loading: Promise<Libc | undefined> | undefined;

/** Undefined on Windows, and if the C library is not known. */
export function libc(): Promise<Libc | undefined> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Libc | undefined> {
  const names = LIBRARIES[process.platform];
  if (names === undefined) return undefined;
  const { dlopen, ptr } = await import("bun:ffi");
  for (const name of names) {
    try {
      return process.platform === "darwin" ? onDarwin(dlopen, ptr, name) : onLinux(dlopen, ptr, name);
    } catch {
      // Another C library.
    }
  }
  return undefined;
}

type Ffi = typeof import("bun:ffi");

function onLinux(dlopen: Ffi["dlopen"], ptr: Ffi["ptr"], name: string): Libc {
  const { symbols } = dlopen(name, {
    pipe2: { args: ["ptr", "i32"], returns: "i32" },
    fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  });
  return {
    openPipe: () => pipeOf((ends) => symbols.pipe2(ptr(ends), O_CLOEXEC)),
    setNonBlocking: (fd) => {
      symbols.fcntl(fd, F_SETFL, symbols.fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
      return (symbols.fcntl(fd, F_GETFL, 0) & O_NONBLOCK) !== 0;
    },
    resizePipe: (fd, bytes) => symbols.fcntl(fd, F_SETPIPE_SZ, bytes) >= bytes,
    reap: (pid) => void symbols.waitpid(pid, null, WNOHANG),
    forbidReading: () => symbols.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0,
  };
}

/** Here, children that Bun starts inherit only the descriptors that they are given. */
function onDarwin(dlopen: Ffi["dlopen"], ptr: Ffi["ptr"], name: string): Libc {
  // The third argument of fcntl is variadic. On arm64 it is read from the stack, behind eight registers.
  const registers = process.arch === "arm64" ? (["i64", "i64", "i64", "i64", "i64", "i64"] as const) : [];
  const unused = registers.map(() => 0);
  const { symbols } = dlopen(name, {
    pipe: { args: ["ptr"], returns: "i32" },
    fcntl: { args: ["i32", "i32", ...registers, "i64"], returns: "i32" },
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  });
  const fcntl = (fd: number, command: number, flags: number) => symbols.fcntl(fd, command, ...unused, flags);
  return {
    openPipe: () => pipeOf((ends) => symbols.pipe(ptr(ends))),
    setNonBlocking: (fd) => {
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
      return (fcntl(fd, F_GETFL, 0) & O_NONBLOCK) !== 0;
    },
    resizePipe: () => false,
    reap: (pid) => void symbols.waitpid(pid, null, WNOHANG),
    forbidReading: () => false,
  };
}

function pipeOf(open: (ends: Int32Array) => number): Pipe | undefined {
  const ends = new Int32Array(2);
  const isOpen = open(ends) === 0;
  const [readEnd, writeEnd] = ends;
  return isOpen && readEnd !== undefined && writeEnd !== undefined ? { readEnd, writeEnd } : undefined;
}
