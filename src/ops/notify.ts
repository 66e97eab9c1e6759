// Tells systemd how the program is doing: sd_notify(3), datagrams to the socket in NOTIFY_SOCKET. Knows nothing of what
// is served. Bun has no datagrams over AF_UNIX, and `systemd-notify` would be another process, so libc sends them.

import type { Log } from "../log.ts";

type Env = Readonly<Record<string, string | undefined>>;

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0x80002;
const MSG_NOSIGNAL_DONTWAIT = 0x4040;
const CLOCK_MONOTONIC = 1;
/** sockaddr_un.sun_path, with its closing zero. */
const MAX_PATH_BYTES = 108;

/** What systemd is told. Without systemd it is told nothing, and everything else goes on as ever. */
export interface Notifier extends Disposable {
  /** Serving, again after `reloading`; the status is a line of `systemctl status`. Starts the watchdog's heartbeat. */
  ready(status: string): void;
  /** A new configuration is being read; `ready` ends it. */
  reloading(): void;
  stopping(): void;
}

const silent: Notifier = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** Never throws: a socket that cannot be used is one line in the log. */
export async function connectNotifier(log: Log, env: Env = process.env): Promise<Notifier> {
  const path = env.NOTIFY_SOCKET ?? "";
  if (path === "") return silent;
  try {
    return new SystemdNotifier(await openSender(path), heartbeatMs(env), log);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    log.warning("systemd cannot be told that the gateway runs", { socket: path, error });
    return silent;
  }
}

class SystemdNotifier implements Notifier {
  readonly #sender: Sender;
  readonly #heartbeatMs: number | undefined;
  readonly #log: Log;
  #heartbeat: Timer | undefined;
  #isFailing = false;

  constructor(sender: Sender, heartbeatMs: number | undefined, log: Log) {
    this.#sender = sender;
    this.#heartbeatMs = heartbeatMs;
    this.#log = log;
  }

  ready(status: string): void {
    this.#send("READY=1", `STATUS=${status.replaceAll("\n", " ")}`);
    if (this.#heartbeatMs === undefined || this.#heartbeat !== undefined) return;
    const beat = () => this.#send("WATCHDOG=1");
    beat();
    this.#heartbeat = setInterval(beat, this.#heartbeatMs);
    this.#heartbeat.unref();
  }

  reloading(): void {
    this.#send("RELOADING=1", `MONOTONIC_USEC=${this.#sender.monotonicUsec()}`);
  }

  stopping(): void {
    this.#send("STOPPING=1", "STATUS=Waiting for calls in flight");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#heartbeat);
    this.#sender.close();
  }

  #send(...lines: string[]): void {
    const isSent = this.#sender.send(lines.join("\n"));
    if (!isSent && !this.#isFailing)
      this.#log.warning("systemd did not take a message", { message: lines[0] });
    this.#isFailing = !isSent;
  }
}

/** Half of what systemd allows, so that one late beat does no harm; undefined where it does not watch this process. */
function heartbeatMs({ WATCHDOG_USEC, WATCHDOG_PID }: Env): number | undefined {
  const usec = Number(WATCHDOG_USEC);
  if (!Number.isFinite(usec) || usec <= 0) return undefined;
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid) return undefined;
  return Math.max(1, Math.floor(usec / 2000));
}

interface Sender {
  /** False where the message was not taken. */
  send(message: string): boolean;
  monotonicUsec(): bigint;
  close(): void;
}

/** Throws where the path is no socket's or libc cannot be called. */
async function openSender(path: string): Promise<Sender> {
  const address = socketAddress(path);
  const { dlopen, ptr } = await import("bun:ffi");
  // musl's loader takes this name for its own libc.
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i64" },
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
  const socket = symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (socket < 0) throw new Error("there is no socket to be had");
  return {
    send: (message) => {
      const bytes = Buffer.from(message);
      const to = [ptr(address), address.length] as const;
      return Number(symbols.sendto(socket, ptr(bytes), bytes.length, MSG_NOSIGNAL_DONTWAIT, ...to)) >= 0;
    },
    monotonicUsec: () => {
      const time = new BigInt64Array(2);
      symbols.clock_gettime(CLOCK_MONOTONIC, ptr(time));
      const [seconds = 0n, nanoseconds = 0n] = time;
      return seconds * 1_000_000n + nanoseconds / 1000n;
    },
    close: () => {
      symbols.close(socket);
    },
  };
}

/** A sockaddr_un; "@" stands for the zero byte that abstract sockets start with, and those have no closing zero. */
function socketAddress(path: string): Buffer {
  const isAbstract = path.startsWith("@");
  if (!isAbstract && !path.startsWith("/")) throw new Error("only sockets of this machine are known");
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > MAX_PATH_BYTES) throw new Error("the path is too long for a socket");
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}
