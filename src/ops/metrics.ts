// What one gateway counts, in Prometheus terms. Knows names and labels; not who counts, nor who asks for the text.

import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import type { StateName } from "../backend/state.ts";
import { HOLDER_KINDS, type MemoryBudget } from "../memory-budget.ts";
import { SERVER_METHODS } from "../protocol/mcp.ts";
import { redact } from "../shown.ts";
import { addUp, type ByOutcome, type CallOutcome, MethodSeries, type Tally } from "./tallies.ts";

export interface FinishedCall {
  /** The configured name, or the gateway's own for its meta-tools; never a name that a client made up. */
  readonly backend: string;
  readonly method: string;
  readonly outcome: CallOutcome;
  readonly seconds: number;
  /** Of a `tools/call`. */
  readonly tool?: string | undefined;
}

const STATES = Object.keys({
  stopped: true,
  starting: true,
  ready: true,
  draining: true,
  asleep: true,
  failed: true,
} satisfies Record<StateName, true>);

/** Clients may call tools that do not exist: past these bounds a name is counted as `other`. */
const MAX_TOOLS_PER_BACKEND = 200;
const MAX_LABEL_LENGTH = 128;
const OTHER = "other";

const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const START_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const SEARCH_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** What calls have left behind on one backend. */
interface CallSeries {
  readonly methods: Map<string, MethodSeries>;
  readonly tools: Map<string, ByOutcome>;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #series = new Map<string, CallSeries>();
  readonly #inFlight = new Map<string, number>();

  readonly #calls = this.#counter("calls_total", "Calls answered.", ["backend", "method", "outcome"]);
  readonly #toolCalls = this.#counter("tool_calls_total", "Tool calls answered, by tool.", [
    "backend",
    "tool",
    "outcome",
  ]);
  readonly #callSeconds = this.#histogram(
    "call_duration_seconds",
    "Time from a call's arrival to its answer.",
    CALL_SECONDS,
    ["backend", "method"],
  );
  readonly #state = this.#gauge("backend_state", "1 for the state that a backend is in.", [
    "backend",
    "state",
  ]);
  readonly #starts = this.#counter("backend_starts_total", "Starts that led to a ready backend.", [
    "backend",
  ]);
  readonly #startSeconds = this.#histogram(
    "backend_start_duration_seconds",
    "Time from a backend's start to the end of its handshake.",
    START_SECONDS,
    ["backend"],
  );
  readonly #wakes = this.#counter("backend_wakes_total", "Sleeping backends woken by a call.", ["backend"]);
  readonly #failures = this.#counter(
    "backend_failures_total",
    "Failed starts, crashes and lost connections.",
    ["backend"],
  );
  readonly #sessions = this.#gauge("sessions", "Open legacy sessions of clients.", []);
  readonly #bytes = this.#counter(
    "bytes_total",
    "Bytes of bodies taken from clients (in) and sent to them (out).",
    ["direction"],
  );
  readonly #bytesIn: Tally = { pending: 0, counter: this.#bytes.labels("in") };
  readonly #bytesOut: Tally = { pending: 0, counter: this.#bytes.labels("out") };
  readonly #catalogHits = this.#counter(
    "catalog_hits_total",
    "Answers from the catalogue, no backend asked.",
    ["kind"],
  );
  readonly #searchSeconds = this.#histogram(
    "search_duration_seconds",
    "Time of one tool search.",
    SEARCH_SECONDS,
    [],
  );

  constructor(build: { readonly version: string; readonly commit: string }) {
    const inFlight = this.#gauge(
      "calls_in_flight",
      "Calls that a backend is working on.",
      ["backend"],
      () => {
        inFlight.reset();
        for (const [backend, count] of this.#inFlight) inFlight.labels(backend).set(count);
      },
    );
    this.#gauge("build_info", "Always 1; the labels say which build this is.", ["version", "commit"])
      .labels(build.version, build.commit)
      .set(1);
    this.#registerProcess();
  }

  /** Each scrape reads the current values. */
  watchMemory(memory: MemoryBudget): void {
    const help = "Memory held for clients and backends, by what holds it.";
    const held = this.#gauge("memory_held_bytes", help, ["holder"], () => {
      for (const kind of HOLDER_KINDS) held.labels(kind).set(memory.byKind[kind]);
    });
    const limit = this.#gauge("memory_limit_bytes", "The most that may be held in all.", [], () =>
      limit.set(memory.limitBytes),
    );
  }

  /** On the path of every call. */
  callFinished({ backend, method, outcome, seconds, tool }: FinishedCall): void {
    const series = this.#seriesOf(backend);
    const label = SERVER_METHODS.has(method) ? method : OTHER;
    let byMethod = series.methods.get(label);
    if (byMethod === undefined) {
      byMethod = new MethodSeries(this.#callSeconds.labels(backend, label));
      series.methods.set(label, byMethod);
    }
    byMethod.observe(seconds);
    byMethod.calls[outcome] ??= { pending: 0, counter: this.#calls.labels(backend, label, outcome) };
    byMethod.calls[outcome].pending++;
    if (tool !== undefined) this.#toolFinished(series, backend, tool, outcome);
  }

  /** A call goes to a backend (+1), a call has come back (-1). */
  inFlight(backend: string, delta: 1 | -1): void {
    const count = (this.#inFlight.get(backend) ?? 0) + delta;
    if (count === 0 && !this.#series.has(backend)) this.#inFlight.delete(backend);
    else this.#inFlight.set(backend, count);
  }

  backendState(backend: string, state: StateName): void {
    this.#seriesOf(backend);
    for (const name of STATES) this.#state.labels(backend, name).set(name === state ? 1 : 0);
  }

  /** A backend has become ready, so long after its start. */
  started(backend: string, seconds: number): void {
    this.#starts.labels(backend).inc();
    this.#startSeconds.labels(backend).observe(seconds);
  }

  woke(backend: string): void {
    this.#wakes.labels(backend).inc();
  }

  failed(backend: string): void {
    this.#failures.labels(backend).inc();
  }

  sessions(count: number): void {
    this.#sessions.set(count);
  }

  bytes(direction: "in" | "out", count: number): void {
    (direction === "in" ? this.#bytesIn : this.#bytesOut).pending += count;
  }

  /** `kind` is one of a few words of ours, what was answered without a backend: `tools/list`, `initialize` … */
  cacheHit(kind: string): void {
    this.#catalogHits.labels(kind).inc();
  }

  searched(seconds: number): void {
    this.#searchSeconds.observe(seconds);
  }

  /** Drops the series of a backend that the configuration no longer has. Calls still in flight are counted to their end. */
  forget(backend: string): void {
    const series = this.#series.get(backend);
    this.#series.delete(backend);
    if (this.#inFlight.get(backend) === 0) this.#inFlight.delete(backend);
    for (const state of STATES) this.#state.remove(backend, state);
    for (const family of [this.#starts, this.#startSeconds, this.#wakes, this.#failures])
      family.remove(backend);
    for (const [method, { calls }] of series?.methods ?? []) {
      this.#callSeconds.remove(backend, method);
      for (const outcome of Object.keys(calls)) this.#calls.remove(backend, method, outcome);
    }
    for (const [tool, calls] of series?.tools ?? []) {
      for (const outcome of Object.keys(calls)) this.#toolCalls.remove(backend, tool, outcome);
    }
  }

  /** The whole of it, as a scrape wants it; memory and processor time are read now. */
  async text(): Promise<{ body: string; contentType: string }> {
    this.#addUp();
    return { body: redact(await this.#registry.metrics()), contentType: this.#registry.contentType };
  }

  #addUp(): void {
    addUp(this.#bytesIn);
    addUp(this.#bytesOut);
    for (const { methods, tools } of this.#series.values()) {
      for (const byMethod of methods.values()) byMethod.addUp();
      const groups = [...methods.values()].map(({ calls }) => calls).concat(...tools.values());
      for (const tally of groups.flatMap((calls) => Object.values(calls))) addUp(tally);
    }
  }

  #toolFinished(series: CallSeries, backend: string, name: string, outcome: CallOutcome): void {
    const isNameable = series.tools.size < MAX_TOOLS_PER_BACKEND && name.length <= MAX_LABEL_LENGTH;
    const tool = isNameable || series.tools.has(name) ? name : OTHER;
    let calls = series.tools.get(tool);
    if (calls === undefined) {
      calls = {};
      series.tools.set(tool, calls);
    }
    calls[outcome] ??= { pending: 0, counter: this.#toolCalls.labels(backend, tool, outcome) };
    calls[outcome].pending++;
  }

  #seriesOf(backend: string): CallSeries {
    let series = this.#series.get(backend);
    if (series === undefined) {
      series = { methods: new Map(), tools: new Map() };
      this.#series.set(backend, series);
      this.#inFlight.set(backend, this.#inFlight.get(backend) ?? 0);
    }
    return series;
  }

  #registerProcess(): void {
    const registers = [this.#registry];
    const memory = new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory of the gateway itself; its backends are processes of their own.",
      registers,
      collect: () => {
        memory.set(process.memoryUsage.rss());
      },
    });
    const processor = new Counter({
      name: "process_cpu_seconds_total",
      help: "Processor time of the gateway itself, user and system.",
      registers,
      collect: () => {
        const { user, system } = process.cpuUsage();
        processor.reset();
        processor.inc((user + system) / 1e6);
      },
    });
    new Gauge({
      name: "process_start_time_seconds",
      help: "When the process started, in seconds since 1970.",
      registers,
    }).set(performance.timeOrigin / 1000);
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `mcp_gateway_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[], collect?: () => void): Gauge {
    const options = { name: `mcp_gateway_${name}`, help, labelNames, registers: [this.#registry] };
    return new Gauge(collect === undefined ? options : { ...options, collect });
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[]): Histogram {
    return new Histogram({
      name: `mcp_gateway_${name}`,
      help,
      buckets,
      labelNames,
      registers: [this.#registry],
    });
  }
}
