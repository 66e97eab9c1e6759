// The floor: the least that a relay on Bun.serve does. It parses, puts an id of its own in, passes on, parses the answer
// and puts the client's id back. No sessions, no checks, no limits, no errors: `bun floor.ts <backend's URL> <command>...`

interface Message {
  readonly id?: number | string;
}

const [url = "", ...command] = process.argv.slice(2);
const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
const waiting = new Map<number, (message: Message) => void>();
let nextId = 1;

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    if (request.method !== "POST") return new Response(null, { status: 200 });
    const message: Message = JSON.parse(await request.text());
    const path = request.url.slice(request.url.indexOf("/", "http://".length));
    const answer = await (path.startsWith("/http") ? overHttp(message, path) : overStdio(message));
    if (answer === undefined) return new Response(null, { status: 202 });
    return new Response(JSON.stringify({ ...answer, id: message.id }), {
      headers: { "content-type": "application/json" },
    });
  },
});
console.log(server.port);
await readLines();

async function overStdio(message: Message): Promise<Message | undefined> {
  if (message.id === undefined) return void send(message);
  const id = nextId++;
  const { promise, resolve } = Promise.withResolvers<Message>();
  waiting.set(id, resolve);
  send({ ...message, id });
  return promise;
}

/** `/http/legacy` is the backend's `/legacy`. */
async function overHttp(message: Message, path: string): Promise<Message | undefined> {
  const sent = message.id === undefined ? message : { ...message, id: nextId++ };
  const response = await fetch(url + path.slice("/http".length), {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(sent),
  });
  const text = await response.text();
  if (text === "") return undefined;
  return JSON.parse(text.startsWith("{") ? text : text.slice(text.indexOf("data: ") + "data: ".length));
}

function send(message: Message): void {
  child.stdin.write(`${JSON.stringify(message)}\n`);
  child.stdin.flush();
}

async function readLines(): Promise<void> {
  let pieces: Uint8Array[] = [];
  for await (const chunk of child.stdout) {
    const last = chunk.lastIndexOf(0x0a);
    if (last === -1) {
      pieces.push(chunk);
      continue;
    }
    const lines = Buffer.concat([...pieces, chunk.subarray(0, last)]).toString();
    pieces = [chunk.subarray(last + 1)];
    for (const line of lines.split("\n")) receive(JSON.parse(line));
  }
}

function receive(message: Message): void {
  if (typeof message.id !== "number") return;
  waiting.get(message.id)?.(message);
  waiting.delete(message.id);
}
