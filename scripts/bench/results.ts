// What the rounds brought, and the figures that are drawn from it: medians over rounds, ratios within the same round.

import type { Measurement } from "./measure.ts";
import { median } from "./statistics.ts";
import type { SubjectName } from "./workloads.ts";

export type Figure = keyof Measurement;

export interface Failure {
  readonly workload: string;
  readonly subject: SubjectName;
  readonly reason: string;
}

export class Results {
  /** Workload → subject → one measurement for each round. */
  readonly #rounds = new Map<string, Map<SubjectName, Measurement[]>>();
  readonly failures: Failure[] = [];

  add(workload: string, subject: SubjectName, measurement: Measurement): void {
    const bySubject = this.#rounds.get(workload) ?? new Map<SubjectName, Measurement[]>();
    this.#rounds.set(workload, bySubject);
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), measurement]);
  }

  hasFailed(workload: string, subject: SubjectName): boolean {
    return this.failures.some((failure) => failure.workload === workload && failure.subject === subject);
  }

  /** NaN where it was not measured, or failed in a round. */
  median(workload: string, subject: SubjectName, figure: Figure): number {
    return median(this.#measured(workload, subject).map((measurement) => measurement[figure]));
  }

  /** One subject's figure over another's, round by round; NaN where one of them was not measured. */
  ratio(workload: string, figure: Figure, of: SubjectName, to: SubjectName): number {
    const others = this.#measured(workload, to);
    const ratios = this.#measured(workload, of).map(
      (measurement, round) => measurement[figure] / (others[round]?.[figure] ?? Number.NaN),
    );
    return ratios.some(Number.isNaN) ? Number.NaN : median(ratios);
  }

  subjects(workload: string): SubjectName[] {
    return [...(this.#rounds.get(workload)?.keys() ?? [])].filter(
      (subject) => !this.hasFailed(workload, subject),
    );
  }

  toJSON(): object {
    const workloads = [...this.#rounds].map(([name, bySubject]) => [name, Object.fromEntries(bySubject)]);
    return { workloads: Object.fromEntries(workloads), failures: this.failures };
  }

  #measured(workload: string, subject: SubjectName): readonly Measurement[] {
    return this.hasFailed(workload, subject) ? [] : (this.#rounds.get(workload)?.get(subject) ?? []);
  }
}
