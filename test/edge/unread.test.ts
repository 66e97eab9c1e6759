// What waits for clients that do not read has a bound, and it is the one that stands still who pays for it.

import { describe, expect, test } from "bun:test";
import { Unread, type WayOut } from "../../src/edge/unread.ts";
import { silentLog } from "../../src/log.ts";

class FakeWay implements WayOut {
  isCutOff = false;
  readonly #unread: Unread;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  waits(bytes: number): void {
    this.#unread.note(this, bytes);
  }

  cutOff(): void {
    this.isCutOff = true;
    this.waits(0);
  }
}

function ways(count: number, maxBytes = 100): FakeWay[] {
  const unread = new Unread(silentLog, maxBytes);
  return Array.from({ length: count }, () => new FakeWay(unread));
}

const cut = (all: readonly FakeWay[]) => all.map(({ isCutOff }) => isCutOff);

describe("who is cut off", () => {
  test("is nobody up to the bound, however many wait", () => {
    const all = ways(10);
    for (const way of all) way.waits(10);
    expect(cut(all)).toEqual(all.map(() => false));
  });

  test("is who has read nothing for longest, and no more of them than it takes", () => {
    const all = ways(4);
    for (const way of all) way.waits(30);
    expect(cut(all)).toEqual([true, false, false, false]);
  });

  test("is not who has read something meanwhile", () => {
    const all = ways(3, 50);
    const [first, second, third] = all;
    first?.waits(20);
    second?.waits(20);
    first?.waits(19);
    third?.waits(20);
    expect(cut(all)).toEqual([false, true, false]);
  });

  test("is not who has read something of what is held as a whole", () => {
    const all = ways(3, 50);
    const [first, second, third] = all;
    first?.waits(20);
    second?.waits(20);
    first?.waits(20);
    third?.waits(20);
    expect(cut(all)).toEqual([false, true, false]);
  });

  test("is not spared by more that comes for it", () => {
    const all = ways(2);
    const [first, second] = all;
    first?.waits(40);
    second?.waits(40);
    first?.waits(70);
    expect(cut(all)).toEqual([true, false]);
  });

  test("makes room: what was dropped, or read, counts no more", () => {
    const all = ways(5);
    for (let turn = 0; turn < 100; turn++) {
      for (const way of all) way.waits(20);
      for (const way of all) way.waits(0);
    }
    expect(cut(all)).toEqual(all.map(() => false));
  });
});
