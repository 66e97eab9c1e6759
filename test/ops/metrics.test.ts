// The metrics, read back from their text by a parser that knows nothing of how it was written.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metrics } from "../../src/ops/metrics.ts";
import { type Family, parseMetrics, readValue } from "../support/prometheus.ts";

async function scrape(metrics: Metrics): Promise<Map<string, Family>> {
  return parseMetrics((await metrics.text()).body);
}

const build = { version: "2.0.0", commit: "abc1234" };
const call = {
  backend: "github",
  method: "tools/call",
  outcome: "ok",
  seconds: 0.02,
  tool: "search",
} as const;

describe("text", () => {
  test("has every family with help and type, and the content type that Prometheus wants", async () => {
    const { body, contentType } = await new Metrics(build).text();
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const families = parseMetrics(body);
    const types = Object.fromEntries([...families].map(([name, family]) => [name, family.type]));
    expect(types).toEqual({
      mcp_gateway_calls_total: "counter",
      mcp_gateway_tool_calls_total: "counter",
      mcp_gateway_call_duration_seconds: "histogram",
      mcp_gateway_backend_state: "gauge",
      mcp_gateway_backend_starts_total: "counter",
      mcp_gateway_backend_start_duration_seconds: "histogram",
      mcp_gateway_backend_wakes_total: "counter",
      mcp_gateway_backend_failures_total: "counter",
      mcp_gateway_calls_in_flight: "gauge",
      mcp_gateway_sessions: "gauge",
      mcp_gateway_bytes_total: "counter",
      mcp_gateway_catalog_hits_total: "counter",
      mcp_gateway_search_duration_seconds: "histogram",
      mcp_gateway_build_info: "gauge",
      process_resident_memory_bytes: "gauge",
      process_cpu_seconds_total: "counter",
      process_start_time_seconds: "gauge",
    });
  });

  test("shows zero before anything happened, where there is nothing to name", async () => {
    const families = await scrape(new Metrics(build));
    expect(readValue(families, "mcp_gateway_sessions")).toBe(0);
    expect(readValue(families, "mcp_gateway_bytes_total", { direction: "in" })).toBe(0);
    expect(readValue(families, "mcp_gateway_bytes_total", { direction: "out" })).toBe(0);
    expect(readValue(families, "mcp_gateway_search_duration_seconds_count")).toBe(0);
    expect(readValue(families, "mcp_gateway_build_info", build)).toBe(1);
    expect(families.get("mcp_gateway_calls_total")?.samples).toEqual([]);
  });

  test("two gateways in one process count apart", async () => {
    const [one, other] = [new Metrics(build), new Metrics(build)];
    one.callFinished(call);
    const labels = { backend: "github", method: "tools/call", outcome: "ok" };
    expect(readValue(await scrape(one), "mcp_gateway_calls_total", labels)).toBe(1);
    expect(readValue(await scrape(other), "mcp_gateway_calls_total", labels)).toBeUndefined();
  });
});

describe("calls", () => {
  test("are counted by outcome and by tool, and timed by method", async () => {
    const metrics = new Metrics(build);
    metrics.callFinished(call);
    metrics.callFinished({ ...call, seconds: 0.2 });
    metrics.callFinished({ ...call, outcome: "tool-error", seconds: 20 });
    metrics.callFinished({ ...call, outcome: "cancelled", seconds: 1000 });
    metrics.callFinished({ backend: "github", method: "tools/list", outcome: "rpc-error", seconds: 0 });
    const families = await scrape(metrics);
    const count = (method: string, outcome: string) =>
      readValue(families, "mcp_gateway_calls_total", { backend: "github", method, outcome });
    expect(count("tools/call", "ok")).toBe(2);
    expect(count("tools/call", "tool-error")).toBe(1);
    expect(count("tools/call", "cancelled")).toBe(1);
    expect(count("tools/call", "gateway-error")).toBeUndefined();
    expect(count("tools/list", "rpc-error")).toBe(1);
    const tool = { backend: "github", tool: "search" };
    expect(readValue(families, "mcp_gateway_tool_calls_total", { ...tool, outcome: "ok" })).toBe(2);
    expect(families.get("mcp_gateway_tool_calls_total")?.samples).toHaveLength(3);

    const duration = (suffix: string, labels = {}) =>
      readValue(families, `mcp_gateway_call_duration_seconds_${suffix}`, {
        backend: "github",
        method: "tools/call",
        ...labels,
      });
    expect(duration("count")).toBe(4);
    expect(duration("sum")).toBeCloseTo(1020.22, 6);
    expect(duration("bucket", { le: "0.01" })).toBe(0);
    expect(duration("bucket", { le: "0.025" })).toBe(1);
    expect(duration("bucket", { le: "30" })).toBe(3);
    expect(duration("bucket", { le: "+Inf" })).toBe(4);
  });

  test("every histogram is cumulative and ends in its count", async () => {
    const metrics = new Metrics(build);
    for (let index = 0; index < 500; index++) {
      metrics.callFinished({ ...call, backend: `b${index % 3}`, seconds: 2 ** (index % 20) / 1000 });
      metrics.searched(2 ** (index % 12) / 10_000);
      metrics.started(`b${index % 3}`, index / 10);
    }
    let histograms = 0;
    for (const [name, { type, samples }] of await scrape(metrics)) {
      if (type !== "histogram") continue;
      const counts = samples.filter((sample) => sample.name === `${name}_count`);
      expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(500);
      for (const { labels, value } of counts) {
        const buckets = samples.filter((sample) => {
          const { le, ...rest } = sample.labels;
          return le !== undefined && Bun.deepEquals(rest, labels);
        });
        const bounds = buckets.map((bucket) => Number(bucket.labels.le?.replace("Inf", "Infinity")));
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
        expect(bounds.at(-1)).toBe(Number.POSITIVE_INFINITY);
        const values = buckets.map((bucket) => bucket.value);
        expect(values).toEqual(values.toSorted((a, b) => a - b));
        expect(values.at(-1)).toBe(value);
        histograms++;
      }
    }
    expect(histograms).toBe(7);
  });

  test("what clients invent cannot grow the text without bound", async () => {
    const metrics = new Metrics(build);
    for (let index = 0; index < 5000; index++) {
      metrics.callFinished({ ...call, method: `made/up/${index}`, tool: `invented_${index}` });
    }
    metrics.callFinished({ ...call, backend: "quiet", tool: "x".repeat(5000) });
    metrics.callFinished({ ...call, tool: "invented_7" });
    const families = await scrape(metrics);
    const methods = new Set(
      families.get("mcp_gateway_calls_total")?.samples.map((sample) => sample.labels.method),
    );
    expect([...methods].toSorted()).toEqual(["other", "tools/call"]);
    const tools = families.get("mcp_gateway_tool_calls_total")?.samples ?? [];
    expect(tools.length).toBeLessThanOrEqual(202);
    const count = (backend: string, tool: string) =>
      tools.find(({ labels }) => labels.backend === backend && labels.tool === tool)?.value;
    expect(count("github", "other")).toBe(4800);
    expect(count("github", "invented_7")).toBe(2);
    expect(count("quiet", "other")).toBe(1);
    expect(tools.reduce((sum, { value }) => sum + value, 0)).toBe(5002);
  });

  test("names with quotes, backslashes and newlines come back as they were", async () => {
    const metrics = new Metrics(build);
    const tools = [
      'say "hi"',
      "back\\slash",
      "two\nlines",
      "ends in \\",
      "größer,{}=日本",
      "constructor",
      "__proto__",
      "",
    ];
    for (const tool of tools) metrics.callFinished({ ...call, tool });
    const samples = (await scrape(metrics)).get("mcp_gateway_tool_calls_total")?.samples ?? [];
    expect(samples.map((sample) => sample.labels.tool ?? "").toSorted()).toEqual(tools.toSorted());
  });

  test("in flight rise and fall, per backend", async () => {
    const metrics = new Metrics(build);
    metrics.inFlight("a", 1);
    metrics.inFlight("a", 1);
    metrics.inFlight("b", 1);
    metrics.inFlight("a", -1);
    metrics.backendState("c", "asleep");
    const families = await scrape(metrics);
    const inFlight = (backend: string) => readValue(families, "mcp_gateway_calls_in_flight", { backend });
    expect([inFlight("a"), inFlight("b"), inFlight("c")]).toEqual([1, 1, 0]);
  });

  test("cost about a microsecond each", () => {
    const metrics = new Metrics(build);
    const rounds = 200_000;
    const measure = () => {
      // The time of the processor: a busy machine takes more of the other.
      const before = process.cpuUsage();
      for (let index = 0; index < rounds; index++) metrics.callFinished(call);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / rounds;
    };
    const best = Math.min(measure(), measure(), measure());
    expect(best).toBeLessThan(3); // about 0.4 on a quiet machine
  });
});

describe("backends", () => {
  test("are in exactly one state", async () => {
    const metrics = new Metrics(build);
    for (const state of ["stopped", "starting", "ready", "draining", "asleep", "failed"] as const) {
      metrics.backendState("a", state);
      const samples = (await scrape(metrics)).get("mcp_gateway_backend_state")?.samples ?? [];
      expect(samples).toHaveLength(6);
      expect(samples.filter(({ value }) => value === 1).map(({ labels }) => labels.state)).toEqual([state]);
    }
  });

  test("count starts, wakes and failures", async () => {
    const metrics = new Metrics(build);
    metrics.started("a", 0.3);
    metrics.started("a", 0.1);
    metrics.woke("a");
    metrics.failed("a");
    const families = await scrape(metrics);
    const of = (name: string) => readValue(families, `mcp_gateway_backend_${name}`, { backend: "a" });
    expect(["starts_total", "wakes_total", "failures_total", "start_duration_seconds_count"].map(of)).toEqual(
      [2, 1, 1, 2],
    );
    expect(of("start_duration_seconds_sum")).toBeCloseTo(0.4, 9);
  });

  test("that a reload removed leave nothing behind, even with a call still in flight", async () => {
    const metrics = new Metrics(build);
    for (const backend of ["gone", "kept"]) {
      metrics.backendState(backend, "ready");
      metrics.started(backend, 1);
      metrics.woke(backend);
      metrics.failed(backend);
      metrics.inFlight(backend, 1);
      metrics.callFinished({ ...call, backend });
      metrics.callFinished({
        ...call,
        backend,
        method: "odd",
        tool: "x".repeat(500),
        outcome: "gateway-error",
      });
    }
    const before = (await metrics.text()).body;
    expect(before.match(/"gone"/g)?.length).toBe(before.match(/"kept"/g)?.length ?? 0);
    metrics.forget("gone");
    const during = await scrape(metrics);
    expect(readValue(during, "mcp_gateway_calls_in_flight", { backend: "gone" })).toBe(1);
    metrics.inFlight("gone", -1);
    const after = (await metrics.text()).body;
    expect(after).not.toContain("gone");
    expect(after.match(/"kept"/g)?.length).toBe(before.match(/"kept"/g)?.length ?? 0);
    parseMetrics(after);
    metrics.callFinished({ ...call, backend: "gone" });
    const again = await scrape(metrics);
    expect(
      readValue(again, "mcp_gateway_tool_calls_total", { backend: "gone", tool: "search", outcome: "ok" }),
    ).toBe(1);
  });
});

test("sessions, bytes, catalogue hits and searches", async () => {
  const metrics = new Metrics(build);
  metrics.sessions(5);
  metrics.sessions(3);
  metrics.bytes("in", 100);
  metrics.bytes("in", 28);
  metrics.bytes("out", 4096);
  metrics.cacheHit("tools/list");
  metrics.cacheHit("tools/list");
  metrics.searched(0.002);
  const families = await scrape(metrics);
  expect(readValue(families, "mcp_gateway_sessions")).toBe(3);
  expect(readValue(families, "mcp_gateway_bytes_total", { direction: "in" })).toBe(128);
  expect(readValue(families, "mcp_gateway_bytes_total", { direction: "out" })).toBe(4096);
  expect(readValue(families, "mcp_gateway_catalog_hits_total", { kind: "tools/list" })).toBe(2);
  expect(readValue(families, "mcp_gateway_search_duration_seconds_bucket", { le: "0.0025" })).toBe(1);
});

test("a scrape changes nothing, and counting goes on after it", async () => {
  const metrics = new Metrics(build);
  const labels = { backend: "github", method: "tools/call", outcome: "ok" };
  metrics.callFinished(call);
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    expect(readValue(await scrape(metrics), "mcp_gateway_calls_total", labels)).toBe(1);
  }
  metrics.callFinished(call);
  expect(readValue(await scrape(metrics), "mcp_gateway_calls_total", labels)).toBe(2);
});

test("the process itself is read at the time of the scrape", async () => {
  const metrics = new Metrics(build);
  const first = await scrape(metrics);
  const rss = readValue(first, "process_resident_memory_bytes") ?? 0;
  expect(rss).toBeGreaterThan(5e6);
  expect(rss).toBeLessThan(4e9);
  const started = readValue(first, "process_start_time_seconds") ?? 0;
  expect(Math.abs(started + process.uptime() - Date.now() / 1000)).toBeLessThan(5);
  const ballast = Buffer.alloc(64e6, 1);
  const until = process.cpuUsage().user + 50_000;
  while (process.cpuUsage().user < until) Math.sqrt(ballast.length);
  const second = await scrape(metrics);
  const cpu = (families: Map<string, Family>) => readValue(families, "process_cpu_seconds_total") ?? 0;
  expect(cpu(second) - cpu(first)).toBeGreaterThan(0.045);
  expect(cpu(second)).toBeLessThan((process.cpuUsage().user + process.cpuUsage().system) / 1e6 + 0.001);
  expect((readValue(second, "process_resident_memory_bytes") ?? 0) - rss).toBeGreaterThan(30e6);
});

describe("compiled", () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  test("minified and in bytecode, the metrics are the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-gateway-metrics-"));
    folders.push(folder);
    const source = join(import.meta.dir, "../../src/ops/metrics.ts");
    await Bun.write(
      join(folder, "program.ts"),
      `const before = process.cpuUsage();
       const { Metrics } = await import(${JSON.stringify(source)});
       const { user, system } = process.cpuUsage(before);
       const loadedMs = (user + system) / 1000;
       const metrics = new Metrics({ version: "1", commit: "c" });
       metrics.callFinished({ backend: "b", method: "tools/call", outcome: "ok", seconds: 0.02, tool: "t" });
       metrics.backendState("b", "ready");
       process.stdout.write(JSON.stringify({ loadedMs, ...(await metrics.text()) }));`,
    );
    const binary = join(folder, "program");
    const flags = ["build", "--compile", "--minify", "--bytecode", "--format=esm"];
    const bundler = Bun.spawn([process.execPath, ...flags, "--outfile", binary, join(folder, "program.ts")], {
      cwd: folder,
      stdout: "ignore",
      stderr: "pipe",
    });
    expect(await bundler.stderr.text()).not.toContain("error");
    expect(await bundler.exited).toBe(0);
    const program = Bun.spawn([binary], { stdout: "pipe", stderr: "pipe", env: {} });
    const [output, complaints] = await Promise.all([program.stdout.text(), program.stderr.text()]);
    expect(complaints).toBe("");
    const { body, contentType, loadedMs } = JSON.parse(output);
    expect(contentType).toStartWith("text/plain; version=0.0.4");
    const families = parseMetrics(body);
    const labels = { backend: "b", method: "tools/call", outcome: "ok" };
    expect(readValue(families, "mcp_gateway_calls_total", labels)).toBe(1);
    expect(readValue(families, "mcp_gateway_backend_state", { backend: "b", state: "ready" })).toBe(1);
    expect(readValue(families, "process_resident_memory_bytes")).toBeGreaterThan(5e6);
    expect(loadedMs).toBeLessThan(100); // about 2.5 on a quiet machine
  });
});
