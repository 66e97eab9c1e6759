// The other end of sd_notify: a real AF_UNIX datagram socket, as systemd holds one. Linux only.

import { dlopen, ptr } from "bun:ffi";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

const libc = () =>
  dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
    recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  }).symbols;

export class NotifySocket implements Disposable {
  readonly #libc = libc();
  readonly #socket: number;
  readonly #messages: string[] = [];

  /** Binds the path; "@name" is an abstract socket. */
  constructor(path: string) {
    const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`);
    const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
    this.#socket = this.#libc.socket(AF_UNIX, SOCK_DGRAM, 0);
    if (this.#libc.bind(this.#socket, ptr(address), address.length) !== 0) {
      throw new Error(`cannot listen at ${path}`);
    }
  }

  /** Everything that has come so far, one entry for each datagram. */
  messages(): readonly string[] {
    const buffer = Buffer.alloc(4096);
    for (;;) {
      const length = Number(this.#libc.recv(this.#socket, ptr(buffer), buffer.length, MSG_DONTWAIT));
      if (length < 0) return this.#messages;
      this.#messages.push(buffer.toString("utf8", 0, length));
    }
  }

  [Symbol.dispose](): void {
    this.#libc.close(this.#socket);
  }
}
