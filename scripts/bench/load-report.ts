// What a load run says at its end: a table for each workload, how the gateway stands to the others, and the bars.

import type { Results } from "./results.ts";
import { type Bar, columns, digits } from "./table.ts";
import { type SubjectName, WORKLOADS } from "./workloads.ts";

const HEADINGS = ["", "p50 ms", "p95 ms", "p99 ms", "req/s", "CPU us/req", "RSS MB"];
const FIGURES = ["p50", "p95", "p99", "perSecond", "cpuUsPerRequest", "rssMb"] as const;

export interface Memory {
  readonly idleMb: number;
  readonly loadedMb: number;
}

/** One workload: its subjects, then the gateway's figures over theirs. */
export function describeWorkload(results: Results, workload: string): string {
  const subjects = results.subjects(workload);
  const lines = subjects.map((subject) => [
    `  ${subject}`,
    ...FIGURES.map((figure) => digits(results.median(workload, subject, figure))),
  ]);
  const ratios = subjects
    .filter((subject) => subject !== "gateway")
    .map((other) => ratioTo(results, workload, other));
  const failures = results.failures
    .filter((failure) => failure.workload === workload)
    .map(({ subject, reason }) => `  ${subject} failed: ${reason}`);
  const standing =
    subjects.includes("gateway") && ratios.length > 0 ? [`  gateway: ${ratios.join("; ")}`] : [];
  return [columns([workload, ...HEADINGS.slice(1)], lines), ...standing, ...failures].join("\n");
}

function ratioTo(results: Results, workload: string, other: SubjectName): string {
  const p50 = digits(results.ratio(workload, "p50", "gateway", other));
  const perSecond = digits(results.ratio(workload, "perSecond", "gateway", other));
  return `${p50} x the p50 and ${perSecond} x the req/s of ${other}`;
}

/** The bars that a load run can tell about. */
export function loadBars(results: Results, memory: Memory): Bar[] {
  const p50 = (workload: string, other: SubjectName) => results.ratio(workload, "p50", "gateway", other);
  const rate = (workload: string, other: SubjectName) =>
    results.ratio(workload, "perSecond", "gateway", other);
  const own = (workload: string, figure: (typeof FIGURES)[number]) =>
    results.median(workload, "gateway", figure);
  const most = (figure: string, measured: number, limit: number, unit = "") => ({
    figure,
    measured,
    unit,
    limit: { most: limit },
  });
  const least = (figure: string, measured: number, limit: number, unit = "") => ({
    figure,
    measured,
    unit,
    limit: { least: limit },
  });
  const cpu = (workload: string, limit: number) =>
    most(`CPU per request: ${workload}`, own(workload, "cpuUsPerRequest"), limit, "us");
  // The floor, whose work is linear, tells what eight times the bytes cost this machine.
  const growth = p50("stdio 8 MB result C=1", "floor") / p50("stdio 1 MB result C=1", "floor");
  return [
    most("stdio echo C=1: p50 over the floor's", p50("stdio echo C=1", "floor"), 1.3),
    least("stdio echo C=8: req/s over the floor's", rate("stdio echo C=8", "floor"), 0.8),
    least("stdio echo C=8: req/s over mcp-proxy's", rate("stdio echo C=8", "mcp-proxy"), 8),
    cpu("stdio echo C=8", 65),
    cpu("stdio echo C=8, modern client", 65),
    cpu("stdio echo C=8, modern both", 65),
    cpu("meta echo C=8", 80),
    cpu("meta echo C=8, modern client", 80),
    least("http echo C=8: req/s over the floor's", rate("http echo C=8", "floor"), 0.75),
    most("stdio 1 MB result: p50 over the floor's", p50("stdio 1 MB result C=1", "floor"), 1),
    most("stdio 8 MB result: p50 over that of 1 MB, over the floor's", growth, 1.1),
    least("sessions C=8", own("sessions C=8", "perSecond"), 3_000, "/s"),
    least("sessions C=8, meta", own("sessions C=8, meta", "perSecond"), 3_000, "/s"),
    most("memory idle", memory.idleMb, 50, "MB"),
    most("memory after the whole load", memory.loadedMb, 90, "MB"),
    least(
      "server-everything C=8: req/s over its own HTTP",
      rate("server-everything C=8", "everything-http"),
      4,
    ),
  ];
}

export function describeLoad(results: Results): string {
  return WORKLOADS.filter(({ name }) => results.subjects(name).length > 0 || hasFailures(results, name))
    .map(({ name }) => describeWorkload(results, name))
    .join("\n\n");
}

function hasFailures(results: Results, workload: string): boolean {
  return results.failures.some((failure) => failure.workload === workload);
}
