// Hostile input, each kind with its own short life. They use sockets of their own: no client library would send any of it.

import { connect, type Socket } from "node:net";
import { openSession, post } from "../../test/support/post.ts";
import { waitFor } from "../../test/support/wait-for.ts";

const MEGABYTE = 1024 * 1024;
/** Under the limit of the gateway: a body over it is refused before it is read. */
const BODY_BYTES = 15 * MEGABYTE;
const ANSWER_MS = 60_000;

/** What an attack acts on. */
export interface Victim {
  /** Of the gateway. */
  readonly url: string;
  readonly port: number;
  /** 1 for the whole of it; less for a short run. */
  readonly share: number;
}

export type Attack = (victim: Victim, sockets: Sockets) => Promise<void>;

/** Sockets that end with the attack. */
export class Sockets implements Disposable {
  readonly #open: Socket[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends what the gateway takes of it, and reads nothing unless told. */
  async send(...parts: readonly (string | Uint8Array)[]): Promise<Socket> {
    const socket = connect(this.#port, "127.0.0.1");
    this.#open.push(socket);
    socket.on("error", () => undefined);
    socket.pause();
    for (const part of parts) {
      await new Promise<void>((resolve) => {
        const onClose = () => resolve();
        socket.once("close", onClose);
        socket.write(part, () => {
          socket.off("close", onClose);
          resolve();
        });
      });
    }
    return socket;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) socket.destroy();
  }
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

function head(path: string, headers: Readonly<Record<string, string | number>>, method = "POST"): string {
  const all = { host: "localhost", ...JSON_HEADERS, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

const toolCall = (id: number, name: string, args: object, meta?: object) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
});

const some = (count: number, { share }: Victim) => Math.max(2, Math.ceil(count * share));

/** Whatever it is answered with. */
async function postText(url: string, body: string, headers: Record<string, string> = {}): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const sent = { method: "POST", headers: { ...JSON_HEADERS, ...headers }, body, signal };
  await fetch(url, sent).then(
    (response) => response.text(),
    () => undefined,
  );
}

async function bodies(victim: Victim, sockets: Sockets, chunked: boolean): Promise<void> {
  const block = Buffer.alloc(MEGABYTE, " ");
  const framed = Buffer.concat([Buffer.from(`${MEGABYTE.toString(16)}\r\n`), block, Buffer.from("\r\n")]);
  const size = chunked ? { "transfer-encoding": "chunked" } : { "content-length": BODY_BYTES + 10 };
  for (let count = 0; count < some(40, victim); count++) {
    const blocks = Array.from({ length: 15 }, () => (chunked ? framed : block));
    await sockets.send(head("/mcp", size), ...blocks);
  }
}

async function documents(victim: Victim): Promise<void> {
  const most = BODY_BYTES * victim.share;
  const wrap = (x: string) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":${x}}}`;
  const keys = Array.from({ length: 900_000 * victim.share }, (_, n) => `"k${n}":${n}`);
  const texts = [
    "[".repeat(most),
    "[".repeat(most / 2) + "]".repeat(most / 2),
    '{"a":'.repeat(most / 6) + 1 + "}".repeat(most / 6),
    wrap(`[${"0,".repeat(most / 2)}0]`),
    wrap(`[${"{},".repeat(most / 3)}0]`),
    wrap(`{${keys.join(",")}}`),
    wrap(`"${"y".repeat(most)}"`),
    wrap(`"${"\\n".repeat(most / 2)}"`),
    wrap(`"${`\\n${"y".repeat(66)}`.repeat(most / 68)}"`),
    wrap("1".repeat(most)),
    wrap(" ".repeat(most)),
    `[${`${wrap("1")},`.repeat(9_999)}${wrap("1")}]`,
    "[".repeat(62 * MEGABYTE * victim.share),
  ];
  const session = await openSession(`${victim.url}/mcp/strains`, "2025-03-26");
  for (const text of texts) await postText(`${victim.url}/mcp/strains`, text, session);
}

async function cancellations(victim: Victim, sockets: Sockets): Promise<void> {
  const url = `${victim.url}/mcp/strains`;
  const session = await openSession(url, "2025-03-26");
  const calls = Array.from({ length: some(9_900, victim) }, (_, id) => toolCall(id, "hang", {}));
  const body = JSON.stringify(calls);
  await sockets.send(head("/mcp/strains", { ...session, "content-length": Buffer.byteLength(body) }), body);
  const cancel = (requestId: unknown) => ({
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId },
  });
  const none = Array.from({ length: some(15_000, victim) }, (_, n) => cancel(`no-such-${n}`));
  await postText(url, JSON.stringify(none), session);
  await postText(url, JSON.stringify(calls.map(({ id }) => cancel(id))), session);
}

async function replays(victim: Victim): Promise<void> {
  const url = `${victim.url}/mcp/strains`;
  for (let count = 0; count < some(150, victim); count++) {
    const session = await openSession(url);
    const call = toolCall(1, "streamed", { bytes: 3_900_000 }, { progressToken: 1 });
    await (await post(url, call, session)).text();
  }
}

async function unreadStreams(victim: Victim, sockets: Sockets): Promise<void> {
  const url = `${victim.url}/mcp/strains`;
  const uri = `mem://${"x".repeat(2_000)}`;
  for (let count = 0; count < some(100, victim); count++) {
    const session = await openSession(url);
    await sockets.send(head("/mcp/strains", session, "GET"));
    await (
      await post(url, { jsonrpc: "2.0", id: 1, method: "resources/subscribe", params: { uri } }, session)
    ).text();
  }
  const flood = toolCall(1, "flood", { uri, times: 5_000 });
  await postText(url, JSON.stringify(flood), await openSession(url));
}

async function unreadAnswers(victim: Victim, sockets: Sockets): Promise<void> {
  const session = await openSession(`${victim.url}/mcp/strains`);
  for (let id = 0; id < some(80, victim); id++) {
    const body = JSON.stringify(toolCall(id, "big", { bytes: 8_000_000 }));
    await sockets.send(head("/mcp/strains", { ...session, "content-length": body.length }), body);
  }
  await postText(`${victim.url}/mcp/strains`, JSON.stringify(toolCall(1, "echo", {})), session);
}

async function answers(victim: Victim): Promise<void> {
  const url = `${victim.url}/mcp/strains`;
  const session = await openSession(url);
  for (const name of ["deep", "wide"]) await postText(url, JSON.stringify(toolCall(1, name, {})), session);
}

async function pages(victim: Victim): Promise<void> {
  const url = `${victim.url}/mcp`;
  const session = await openSession(url);
  const call = toolCall(1, "gateway_list_tools", { server: "endless" });
  await postText(url, JSON.stringify(call), session);
}

/** Heads and small bodies that come byte by byte until they are ended. */
async function drips(victim: Victim, sockets: Sockets): Promise<void> {
  const slow = await Promise.all(
    Array.from({ length: some(300, victim) }, (_, n) =>
      sockets.send(
        n % 2 === 0 ? "POST /mcp HTTP/1.1\r\nHost: localhost\r\n" : head("/mcp", { "content-length": 900 }),
      ),
    ),
  );
  const dripping = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write("x: y\r\n");
  }, 500);
  await waitFor(() => slow.every(({ destroyed, writable }) => destroyed || !writable), {
    timeoutMs: ANSWER_MS,
  }).catch(() => undefined);
  clearInterval(dripping);
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "unfinished bodies": (victim, sockets) => bodies(victim, sockets, false),
  "unfinished chunked bodies": (victim, sockets) => bodies(victim, sockets, true),
  "heads and bodies that drip": drips,
  "deep and wide documents": documents,
  "calls and cancellations": cancellations,
  "replay buffers": replays,
  "unread streams": unreadStreams,
  "unread answers": unreadAnswers,
  "deep and wide answers": answers,
  "endless pages": pages,
};
