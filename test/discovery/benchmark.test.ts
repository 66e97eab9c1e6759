// The bars that search must reach on the committed data sets; `scripts/bench/discovery` prints the whole picture.

import { describe, expect, test } from "bun:test";
import { readDataSets } from "../../scripts/bench/retrieval/data-set.ts";
import { answerCosts, evaluate } from "../../scripts/bench/retrieval/evaluate.ts";
import { scoresOf } from "../../scripts/bench/retrieval/metrics.ts";
import { RANKERS } from "../../scripts/bench/retrieval/rankers.ts";
import { median } from "../../scripts/bench/statistics.ts";

const SETS = readDataSets();
const OURS = evaluate(SETS, RANKERS["mcp-gateway"]);
const BM25 = evaluate(SETS, RANKERS.BM25);

describe("search", () => {
  test("finds what was meant among its first five, and near the top", () => {
    expect(OURS.kinds.length).toBe(8);
    expect(OURS.mean()["recall@5"]).toBeGreaterThanOrEqual(0.81);
    expect(OURS.mean().MRR).toBeGreaterThanOrEqual(0.7);
  });

  test("is on no kind of query much worse than plain BM25", () => {
    for (const kind of OURS.kinds) {
      expect(OURS.of(kind)["recall@5"]).toBeGreaterThanOrEqual(BM25.of(kind)["recall@5"] - 0.02);
    }
  });

  test("answers five hits in at most 300 tokens at the median", () => {
    const tokens = answerCosts(SETS).map((cost) => cost.tokens);
    expect(median(tokens)).toBeLessThanOrEqual(300);
  }, 30_000);
});

describe("the measures are those of the published figures:", () => {
  test("substrings score what they are known to", () => {
    const mean = evaluate(SETS, RANKERS.substring).mean();
    expect(mean["recall@5"]).toBeCloseTo(0.069, 2);
    expect(mean.MRR).toBeCloseTo(0.062, 2);
  });

  test("BM25 scores what it is known to", () => {
    const mean = BM25.mean();
    expect(mean["recall@5"]).toBeCloseTo(0.714, 2);
    expect(mean.MRR).toBeCloseTo(0.61, 1);
  });

  const a = { server: "s", tool: "a" };
  const b = { server: "s", tool: "b" };
  const c = { server: "s", tool: "c" };
  const query = { id: "q", query: "q", kind: "k" };

  test("any one of the right tools is enough", () => {
    const scores = scoresOf({ ...query, mode: "any", gold: [a, b] }, [c, b]);
    expect(scores).toMatchObject({ "recall@1": 0, "recall@5": 1, MRR: 0.5 });
    expect(scores["nDCG@10"]).toBeCloseTo(1 / Math.log2(3), 9);
  });

  test("every need must be served, by either tool that can", () => {
    const gold = [
      { ...a, slot: 0 },
      { ...b, slot: 0 },
      { ...c, slot: 1 },
    ];
    expect(scoresOf({ ...query, mode: "all", gold }, [b])).toMatchObject({ "recall@5": 0.5, MRR: 1 });
    expect(scoresOf({ ...query, mode: "all", gold }, [b, c])).toMatchObject({ "recall@5": 1, "nDCG@10": 1 });
  });

  test("grades weigh in the gain, not in the recall", () => {
    const gold = [
      { ...a, rel: 2 },
      { ...b, rel: 1 },
    ];
    expect(scoresOf({ ...query, mode: "graded", gold }, [a])).toMatchObject({ "recall@5": 0.5, MRR: 1 });
    expect(scoresOf({ ...query, mode: "graded", gold }, [a, b])["nDCG@10"]).toBe(1);
    expect(scoresOf({ ...query, mode: "graded", gold }, [b, a])["nDCG@10"]).toBeLessThan(1);
  });

  test("what comes after the tenth is not found", () => {
    const noise = Array.from({ length: 10 }, (_, i) => ({ server: "s", tool: `noise ${i}` }));
    expect(scoresOf({ ...query, mode: "any", gold: [a] }, [...noise, a])).toMatchObject({
      "recall@10": 0,
      MRR: 0,
    });
  });
});
