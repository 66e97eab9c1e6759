// What a run of the suite is worth: scenarios passed, held against the failures that are expected for a reason.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { parse } from "yaml";
import type { Check, ScenarioResult } from "./suite.ts";

const Expected = Type.Array(
  Type.Object(
    {
      scenario: Type.String({ minLength: 1 }),
      /** Only this check of the scenario; without it, any. */
      check: Type.Optional(Type.String({ minLength: 1 })),
      reason: Type.String({ minLength: 20 }),
    },
    { additionalProperties: false },
  ),
);

export type ExpectedFailure = Static<typeof Expected>[number];

export interface Failure {
  readonly scenario: string;
  readonly check: string;
  readonly status: string;
  readonly message: string;
}

export interface Score {
  readonly passed: number;
  readonly total: number;
  readonly checksPassed: number;
  readonly checksTotal: number;
  /** Scenarios that fail as expected. */
  readonly expected: readonly string[];
  readonly unexpected: readonly Failure[];
  /** Expected failures that did not happen: the file promises too little. */
  readonly stale: readonly ExpectedFailure[];
}

export interface Demands {
  /** The scenarios that are scored; one without a result has failed. */
  readonly required: readonly string[];
  /** Scenarios beside them that must not fail where they ran. */
  readonly also: readonly string[];
  /** Warnings count as failures. */
  readonly isStrict: boolean;
  readonly expected: readonly ExpectedFailure[];
}

/** The expected failures of a row; a row without a file expects none. */
export function readExpected(row: string): readonly ExpectedFailure[] {
  const file = join(import.meta.dir, "expected", `${row}.yml`);
  return existsSync(file) ? Value.Parse(Expected, parse(readFileSync(file, "utf8"))) : [];
}

export function scoreOf(results: readonly ScenarioResult[], demands: Demands): Score {
  const byName = new Map(results.map((result) => [result.scenario, result.checks]));
  const fails = (check: Check) =>
    check.status === "FAILURE" || (demands.isStrict && check.status === "WARNING");
  const failuresOf = (scenario: string) => listFailures(scenario, byName.get(scenario), fails);

  const failures = demands.required.flatMap(failuresOf);
  const extraFailures = demands.also.filter((scenario) => byName.has(scenario)).flatMap(failuresOf);
  const all = [...failures, ...extraFailures];
  const failed = new Set(failures.map((failure) => failure.scenario));
  const counted = demands.required.flatMap((scenario) =>
    (byName.get(scenario) ?? []).filter((check) => check.status === "SUCCESS" || fails(check)),
  );
  const unexpected = all.filter((failure) => !demands.expected.some((entry) => covers(entry, failure)));
  const surprising = new Set(unexpected.map((failure) => failure.scenario));
  return {
    passed: demands.required.length - failed.size,
    total: demands.required.length,
    checksPassed: counted.filter((check) => check.status === "SUCCESS").length,
    checksTotal: counted.length,
    expected: [...failed].filter((scenario) => !surprising.has(scenario)),
    unexpected,
    stale: demands.expected.filter((entry) => !all.some((failure) => covers(entry, failure))),
  };
}

function listFailures(
  scenario: string,
  checks: readonly Check[] | undefined,
  fails: (check: Check) => boolean,
): Failure[] {
  if (checks === undefined)
    return [{ scenario, check: "", status: "FAILURE", message: "The scenario left no result." }];
  return checks
    .filter(fails)
    .map(({ id, status, errorMessage }) => ({ scenario, check: id, status, message: errorMessage ?? "" }));
}

function covers(entry: ExpectedFailure, failure: Failure): boolean {
  return entry.scenario === failure.scenario && (entry.check === undefined || entry.check === failure.check);
}

/** One line per surprise, for a person. */
export function describe(score: Score): string {
  const unexpected = score.unexpected.map(
    ({ scenario, check, status, message }) => `  ${status} ${scenario}:${check} ${message.slice(0, 600)}`,
  );
  const stale = score.stale.map(
    ({ scenario, check }) =>
      `  STALE ${check === undefined ? scenario : `${scenario}:${check}`} passes: take it out of the file`,
  );
  return [...unexpected, ...stale].join("\n");
}
