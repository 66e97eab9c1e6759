// Reads the Prometheus text format strictly. Knows nothing of our metrics.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const SUFFIXES: Record<string, RegExp> = {
  counter: /^$/,
  gauge: /^$/,
  histogram: /^(?:_bucket|_sum|_count)$/,
};

function toLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`not labels: ${text}`);
    const [, key = "", value = ""] = match;
    if (key in labels) throw new Error(`label twice: ${text}`);
    labels[key] = value.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

/** Reads the text format strictly: HELP, TYPE, then only that family's samples, no series twice. */
export function parseMetrics(body: string): Map<string, Family> {
  if (!body.endsWith("\n")) throw new Error("the last line must end");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Family | undefined;
  let currentName = "";
  let help: RegExpExecArray | null = null;
  for (const line of body.slice(0, -1).split("\n")) {
    if (line === "") continue;
    if (line.startsWith("# HELP ")) {
      help = new RegExp(`^# HELP (${NAME}) (\\S.*)$`).exec(line);
      if (help === null) throw new Error(`bad HELP: ${line}`);
    } else if (line.startsWith("#")) {
      const [, name = "", type = ""] =
        new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line) ?? [];
      if (name === "" || help?.[1] !== name || families.has(name)) throw new Error(`bad TYPE: ${line}`);
      current = { help: help[2] ?? "", type, samples: [] };
      currentName = name;
      families.set(name, current);
    } else {
      const match = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line);
      if (match === null || current === undefined) throw new Error(`bad line: ${line}`);
      const [, name = "", labelText = "", value = ""] = match;
      if (!name.startsWith(currentName) || !SUFFIXES[current.type]?.test(name.slice(currentName.length))) {
        throw new Error(`${name} does not belong to ${currentName}`);
      }
      if (!VALUE.test(value)) throw new Error(`bad value: ${line}`);
      const labels = toLabels(labelText);
      const series = JSON.stringify([name, Object.entries(labels).toSorted()]);
      if (seen.has(series)) throw new Error(`series twice: ${line}`);
      seen.add(series);
      current.samples.push({ name, labels, value: Number(value.replace("Inf", "Infinity")) });
    }
  }
  return families;
}

/** The value of exactly this series, if there is one. */
export function readValue(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return samples.find((sample) => sample.name === name && Bun.deepEquals(sample.labels, labels))?.value;
}
