// What a fuzz run has done, and what was wrong, with all it takes to do one case again.

const MOST_SHOWN = 50;

export type Edge = "http" | "guard" | "stdio" | "backend" | "start";

export class Ledger {
  readonly seed: number;
  readonly cases: Record<Edge, number> = { http: 0, guard: 0, stdio: 0, backend: 0, start: 0 };
  readonly outcomes = new Map<string, number>();
  readonly findings: string[] = [];
  #count = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  get total(): number {
    return Object.values(this.cases).reduce((sum, count) => sum + count, 0);
  }

  /** How many things were wrong, those included that are not kept. */
  get findingCount(): number {
    return this.#count;
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  report(where: string, problem: string, shown?: Uint8Array | string): void {
    this.#count += 1;
    if (this.findings.length >= MOST_SHOWN) return;
    const sent = shown === undefined ? "" : `\n    ${show(shown)}`;
    this.findings.push(`${where}: ${problem}${sent}`);
  }

  reportCase(edge: Edge, number: number, problem: string, shown?: Uint8Array | string): void {
    this.report(`${edge} --seed ${this.seed} --only ${edge}:${number}`, problem, shown);
  }
}

function show(sent: Uint8Array | string): string {
  const text = JSON.stringify(typeof sent === "string" ? sent : Buffer.from(sent).toString("latin1"));
  return text.length > 1_200 ? `${text.slice(0, 1_200)}… (${text.length})` : text;
}
