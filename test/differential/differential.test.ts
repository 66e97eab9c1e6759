// A client cannot tell that a gateway is there: the same exchanges, played against the reference backend itself and
// through the compiled gateway, give the same statuses and the same JSON, field for field. What may differ is listed.

import { expect, test } from "bun:test";
import { playAll } from "../support/play-all.ts";
import { type Difference, differences } from "./compare.ts";
import { covers, isComparable, LISTED } from "./listed.ts";
import { OFFERED_IN_ONE_ERA, type Recording } from "./recording.ts";
import { ROWS, type Row } from "./rows.ts";
import { DirectRecordings, recordThrough } from "./stage.ts";

const AT_ONCE = 4;
const LONGEST_MS = 90_000;
const LEAST_EXCHANGES = 300;

interface Compared {
  /** In words, for people. */
  readonly unlisted: readonly string[];
  readonly exchanges: number;
}

const occurred = new Set<string>();
const directs = new DirectRecordings();
// All begin here, so that waiting for one is working on the next.
const compared = playAll(ROWS, AT_ONCE, play);

test.each(ROWS.map((row) => [row.name, row] as const))(
  "%s",
  async (_name, row) => {
    const { unlisted, exchanges } = (await compared.get(row)) ?? {
      unlisted: ["was not played"],
      exchanges: 0,
    };
    expect(unlisted).toEqual([]);
    expect(exchanges).toBeGreaterThan(LEAST_EXCHANGES / 2);
  },
  LONGEST_MS,
);

test("a few hundred exchanges are played in each era, and every listed difference occurs", async () => {
  await Promise.all(compared.values());
  for (const era of ["legacy", "modern"] as const) {
    const names = await Promise.all(
      ROWS.filter((row) => row.era === era).map(async ({ against }) => [
        ...(await directs.get(against)).keys(),
      ]),
    );
    expect(new Set(names.flat()).size).toBeGreaterThan(LEAST_EXCHANGES * 0.7);
  }
  expect(LISTED.map(({ name }) => name).filter((name) => !occurred.has(name))).toEqual([]);
});

async function play(row: Row): Promise<Compared> {
  const [direct, through] = await Promise.all([directs.get(row.against), recordThrough(row)]);
  const names = [...direct.keys()].filter((name) => through.has(name));
  const lost = [...direct.keys()].filter((name) => !through.has(name) && !OFFERED_IN_ONE_ERA.has(name));
  const unlisted = names.flatMap((name) => unlistedOf(row, name, direct, through));
  return { unlisted: [...lost.map((name) => `${name}: not played`), ...unlisted], exchanges: names.length };
}

function unlistedOf(row: Row, name: string, direct: Recording, through: Recording): string[] {
  const found = differences(direct.get(name), through.get(name)).filter((one) => isComparable(row, one));
  return found.flatMap((difference) => {
    const listed = LISTED.filter((one) => covers(one, row, name, difference));
    for (const one of listed) occurred.add(one.name);
    return listed.length === 0 ? [inWords(name, difference)] : [];
  });
}

function inWords(name: string, { path, direct, through }: Difference): string {
  return `${name}: ${path} is ${JSON.stringify(direct)} directly, ${JSON.stringify(through)} through the gateway`;
}
