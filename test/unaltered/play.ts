// Sends documents of JSON through every route of the gateway and compares their texts: in arguments, results, questions,
// answers, progress, log lines and errors, and in lists of backends that run, sleep, or have run before a restart.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "../support/fixture.ts";
import { GatewayRun, ProgramRun } from "../support/run-gateway.ts";
import { TAG, taggedProcesses } from "../support/tagged-processes.ts";
import { waitFor } from "../support/wait-for.ts";
import { findMarked, makeDocuments, marked } from "./documents.ts";
import { HttpTextClient, SseTextClient, StdioTextClient, type TextClient } from "./text-client.ts";

export interface Plan {
  readonly seed: number;
  /** Through every route. */
  readonly documents: number;
  /** In one call. */
  readonly perCall: number;
}

export interface Played {
  /** Documents whose text was compared. */
  readonly compared: number;
  readonly routes: number;
  readonly findings: readonly string[];
}

/** In lists, at most: they are read on every route, awake and asleep. */
const MOST_LISTED = 500;
/** Documents in a question. */
const ASKED = 20;
const LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
const MOST_TOLD = 20;
const TOKEN = "12345678901234567890";

interface Route {
  readonly name: string;
  readonly client: TextClient;
  /** The tool as it is called on this route, and its arguments. */
  call(tool: "say" | "ask", document: string): { readonly name: string; readonly args: string };
  readonly lists: readonly string[];
  /** True if the client is connected to one server, of its own era. */
  readonly isOfOneEra: boolean;
}

class Comparison {
  compared = 0;
  readonly findings: string[] = [];

  /** `places`: how often a document must be there at least. */
  expect(where: string, texts: readonly string[], wanted: ReadonlyMap<number, string>, places = 1): void {
    const found = findMarked(texts.join("\n"));
    for (const [number, document] of wanted) {
      const own = found.get(number) ?? [];
      const other = own.find((text) => text !== document);
      this.compared += 1;
      if (other !== undefined) this.tell(`${where}: ${difference(document, other)}`);
      else if (own.length < places)
        this.tell(`${where}: ${own.length} of ${places} places, in ${texts.join(" | ").slice(0, 600)}`);
    }
  }

  tell(finding: string): void {
    if (this.findings.length < MOST_TOLD) this.findings.push(finding);
  }
}

function difference(sent: string, came: string): string {
  let at = 0;
  while (at < sent.length && sent[at] === came[at]) at += 1;
  const from = Math.max(0, at - 30);
  return `sent ${sent.slice(from, at + 60)}, came ${came.slice(from, at + 60)}`;
}

export async function play({ seed, documents: count, perCall }: Plan): Promise<Played> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "mcp-gateway-unaltered-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const documents = makeDocuments(count, seed);
  writeFileSync(join(folder, "documents"), documents.slice(0, MOST_LISTED).join("\n"));
  const comparison = new Comparison();
  const stage = new Stage(folder);
  const routes = await playAwake(stage, documents, perCall, comparison);
  await playRestarted(stage, documents, comparison);
  return { compared: comparison.compared, routes, findings: comparison.findings };
}

async function playAwake(
  stage: Stage,
  documents: readonly string[],
  perCall: number,
  comparison: Comparison,
): Promise<number> {
  await using gateways = await stage.start();
  const routes = await stage.routes(gateways);
  await Promise.all(routes.map((route) => playCalls(route, documents, perCall, comparison)));
  await playLists("awake", routes, documents, comparison);
  await gateways.sleep();
  await playLists("asleep", routes, documents, comparison);
  if (await gateways.isAwake()) comparison.tell("a list woke a backend");
  return routes.length;
}

/** Questions come last: a server that has asked is given one call at a time from then on. */
async function playRestarted(
  stage: Stage,
  documents: readonly string[],
  comparison: Comparison,
): Promise<void> {
  await using gateways = await stage.start();
  const routes = await stage.routes(gateways);
  await playLists("after a restart", routes, documents, comparison);
  if (await gateways.isAwake()) comparison.tell("a list started a backend after a restart");
  for (const route of routes) await playQuestion(route, documents.slice(0, ASKED), comparison);
  for (const route of routes) if (route.isOfOneEra) await playNotification(route, documents, comparison);
}

/** What no specification has passes between a client and a server of one era. */
async function playNotification(
  { name, client }: Route,
  documents: readonly string[],
  comparison: Comparison,
): Promise<void> {
  const document = marked(1, documents.slice(0, ASKED));
  await client.tell({ method: "notifications/vendor/said", params: `"said":${document}` });
  let texts: string[] = [];
  await waitFor(async () => {
    texts = await client.ask({ id: "9", method: "vendor/recall", params: "" });
    return !texts.join("").includes('"heard":null');
  });
  comparison.expect(`${name}, a notification`, texts, new Map([[1, document]]));
}

async function playCalls(
  route: Route,
  documents: readonly string[],
  perCall: number,
  comparison: Comparison,
): Promise<void> {
  for (let first = 0; first < documents.length; first += perCall) {
    const some = documents.slice(first, first + perCall);
    const document = marked(first, some);
    const { name, args } = route.call("say", document);
    const params = `"name":"${name}","arguments":${args}`;
    const id = first % 2 === 0 ? `${TOKEN}${first}` : `"${first}"`;
    const texts = await route.client.ask({ id, method: "tools/call", name, params });
    comparison.expect(`${route.name}, a call`, texts, new Map([[first, document]]));
    comparison.compared += some.length - 1;
    if (texts.at(-1)?.includes(`"id":${id},`) !== true)
      comparison.tell(`${route.name}: the id ${id} became another`);
  }
}

async function playQuestion(
  route: Route,
  documents: readonly string[],
  comparison: Comparison,
): Promise<void> {
  const document = marked(0, documents);
  const { name, args } = route.call("ask", document);
  const params = `"name":"${name}","arguments":${args}`;
  const accepted = `{"action":"accept","content":${document}}`;
  const request = { id: "7", method: "tools/call", name, params, token: TOKEN };
  const texts = await route.client.ask(request, accepted);
  const last = texts.at(-1) ?? "";
  if (last.includes('"input_required"')) {
    const key = /"inputRequests":\{"([^"]+)"/.exec(last)?.[1] ?? "";
    const state = /"requestState":"([^"]+)"/.exec(last)?.[1] ?? "";
    const answers = `"inputResponses":{"${key}":${accepted}},"requestState":"${state}"`;
    texts.push(...(await route.client.ask({ ...request, params: `${params},${answers}` })));
  }
  // Progress, a log line, the question and the answer.
  comparison.expect(`${route.name}, a question`, texts, new Map([[0, document]]), 4);
  if (!texts.join("\n").includes(`"progressToken":${TOKEN},`))
    comparison.tell(`${route.name}: the progress token became another`);
}

async function playLists(
  when: string,
  routes: readonly Route[],
  documents: readonly string[],
  comparison: Comparison,
): Promise<void> {
  const listed = documents.slice(0, MOST_LISTED);
  const wanted = new Map(listed.map((document, number) => [number, marked(number, [document])]));
  for (const { name, client, lists } of routes) {
    for (const method of lists) {
      const texts = await client.ask({ id: "8", method, params: "" });
      comparison.expect(`${name}, ${method} ${when}`, texts, wanted);
    }
  }
}

/** Two gateways over the same servers: one with the meta-tools, one that merges. */
class Stage {
  readonly #folder: string;
  readonly #tag = crypto.randomUUID();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<Gateways> {
    const options = { env: { XDG_CACHE_HOME: this.#folder } };
    const meta = await GatewayRun.start({
      ...options,
      config: this.#config(["old.say", "old.ask", "new.t0"]),
    });
    const merged = await GatewayRun.start({
      env: { XDG_CACHE_HOME: join(this.#folder, "merged") },
      args: ["--no-meta-mcp"],
      config: this.#config([]),
    });
    return new Gateways(meta, merged, this.#config([]), this.#tag);
  }

  #config(pinned: readonly string[]): Record<string, unknown> {
    const server = (era: string) => {
      const [command = "", ...args] = fixture("repeats-texts", era, join(this.#folder, "documents"));
      return { command, args, env: { [TAG]: this.#tag } };
    };
    const tools = { rename: { say: "speak", ask: "inquire" }, describe: { t0: "Another description." } };
    return {
      max_result_tokens: 0,
      prewarm: false,
      pinned,
      idle_timeout: 3600,
      backends: { old: server("legacy"), new: server("modern"), named: { ...server("legacy"), tools } },
    };
  }

  async routes(gateways: Gateways): Promise<Route[]> {
    const { meta, merged } = gateways;
    const routes: Route[] = [];
    for (const era of ["legacy", "modern"] as const) {
      for (const backend of ["old", "new", "named"]) {
        const client = await HttpTextClient.open(era, `${meta.url}/mcp/${backend}`);
        routes.push(direct(`${era} to ${backend}`, client, backend));
        const invoking = await HttpTextClient.open(era, `${meta.url}/mcp`);
        routes.push(invoke(`${era} by gateway_invoke to ${backend}`, invoking, backend));
        const merging = await HttpTextClient.open(era, `${merged.url}/mcp`);
        routes.push(qualified(`${era} merged to ${backend}`, merging, backend, LISTS));
      }
      routes.push(qualified(`${era} pinned`, await HttpTextClient.open(era, `${meta.url}/mcp`), "old", []));
      routes.push(direct(`${era} over stdio`, await gateways.stdio(era), "old"));
    }
    routes.push(direct("HTTP+SSE", await gateways.sse("old"), "old"));
    return routes;
  }
}

class Gateways implements AsyncDisposable {
  readonly meta: GatewayRun;
  readonly merged: GatewayRun;
  readonly #config: Record<string, unknown>;
  /** That of every backend's process. */
  readonly #tag: string;
  readonly #stack = new AsyncDisposableStack();

  constructor(meta: GatewayRun, merged: GatewayRun, config: Record<string, unknown>, tag: string) {
    this.#tag = tag;
    this.meta = this.#stack.use(meta);
    this.merged = this.#stack.use(merged);
    this.#config = config;
  }

  async stdio(era: "legacy" | "modern"): Promise<StdioTextClient> {
    const run = await ProgramRun.start(["stdio", "--backend", "old"], { config: this.#config });
    const client = new StdioTextClient(era, this.#stack.use(run));
    await client.initialize();
    return client;
  }

  async sse(backend: string): Promise<SseTextClient> {
    const client = this.#stack.use(await SseTextClient.open(`${this.meta.url}/${backend}/sse`));
    await client.initialize();
    return client;
  }

  /** Ends the processes of all backends; what they offered stays known. */
  async sleep(): Promise<void> {
    for (const { pid } of taggedProcesses(this.#tag)) process.kill(pid, "SIGTERM");
    await waitFor(async () => !(await this.isAwake()));
  }

  async isAwake(): Promise<boolean> {
    const all = await Promise.all([this.meta.health(), this.merged.health()]);
    return all.some(({ backends }) => Object.values(backends).some(({ running }) => running));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

const RENAMED = { say: "speak", ask: "inquire" } as const;

function ownName(backend: string, tool: "say" | "ask"): string {
  return backend === "named" ? RENAMED[tool] : tool;
}

function direct(name: string, client: TextClient, backend: string): Route {
  const call: Route["call"] = (tool, document) => ({ name: ownName(backend, tool), args: document });
  const isOfOneEra = (client.era === "modern") === (backend === "new");
  return { name, client, call, lists: LISTS, isOfOneEra };
}

function invoke(name: string, client: TextClient, backend: string): Route {
  const call: Route["call"] = (tool, document) => ({
    name: "gateway_invoke",
    args: `{"server":"${backend}", "tool":"${ownName(backend, tool)}" ,"arguments": ${document}}`,
  });
  return { name, client, call, lists: [], isOfOneEra: false };
}

function qualified(name: string, client: TextClient, backend: string, lists: readonly string[]): Route {
  const call: Route["call"] = (tool, document) => ({
    name: `${backend}__${ownName(backend, tool)}`,
    args: document,
  });
  return { name, client, call, lists, isOfOneEra: false };
}
