// The chance of one case: it depends on the seed and the case's number alone, so each can be had again by itself.

import type { Edge } from "./ledger.ts";
import { Random } from "./random.ts";

const SALT: Readonly<Record<Edge, number>> = {
  http: 0x1b873593,
  guard: 0x85ebca6b,
  stdio: 0x7f4a7c15,
  backend: 0x2545f491,
  start: 0x9e3779b9,
};

export function caseRandom(seed: number, edge: Edge, number: number): Random {
  return new Random((seed ^ SALT[edge]) + Math.imul(number, 0x9e3779b1)).fork();
}
