// The demo tools by themselves, without a wire.

import { describe, expect, test } from "bun:test";
import { currentTime } from "../../../src/commands/demo/clock.ts";
import { rollDice } from "../../../src/commands/demo/dice.ts";
import { queryJson, textStatistics } from "../../../src/commands/demo/text.ts";
import type { Tool, ToolReply } from "../../../src/commands/demo/tool.ts";
import { convertUnits } from "../../../src/commands/demo/units.ts";

function call(tool: Tool, args: Record<string, unknown>): Promise<ToolReply> {
  return tool.call(args, { signal: new AbortController().signal, progress: () => Promise.resolve() });
}

describe("current_time", () => {
  const zones = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Auckland",
    "europe/paris",
  ];
  for (const zone of zones) {
    test(`in ${zone} is now`, async () => {
      const time = await call(currentTime, { time_zone: zone });
      const { local_time, utc_offset, unix_seconds, weekday } = time as Record<string, string>;
      expect(Math.abs(Number(unix_seconds) - Date.now() / 1000)).toBeLessThan(10);
      expect(utc_offset).toMatch(/^[+-]\d\d:\d\d$/);
      expect(Date.parse(`${local_time}${utc_offset}`) / 1000).toBe(Number(unix_seconds));
      const names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
      expect(weekday).toBe(names[new Date(`${local_time}Z`).getUTCDay()] ?? "");
    });
  }

  test("in a place that is no time zone suggests the nearest", async () => {
    const wrong = (time_zone: string) => expect(call(currentTime, { time_zone })).rejects;
    await wrong("Tokyo").toThrow('There is no time zone "Tokyo". Did you mean Asia/Tokyo');
    await wrong("Europe/Berln").toThrow("Europe/Berlin");
    await wrong("new york").toThrow("America/New_York");
  });
});

describe("convert_units", () => {
  const cases: [value: number, from: string, to: string, result: number, unit: string][] = [
    [10, "km", "miles", 6.21371192237, "mi"],
    [212, "F", "celsius", 100, "°C"],
    [-40, "°C", "°F", -40, "°F"],
    [0, "kelvin", "c", -273.15, "°C"],
    [1, "GiB", "mb", 1073.741824, "MB"],
    [90, "km/h", "m/s", 25, "m/s"],
    [2, "fl oz", "ML", 59.147059125, "ml"],
    [0.1, "m", "cm", 10, "cm"],
    [3, "days", "h", 72, "h"],
    [0, "lb", "kg", 0, "kg"],
  ];
  for (const [value, from, to, result, unit] of cases) {
    test(`${value} ${from} is ${result} ${to}`, async () => {
      expect(await call(convertUnits, { value, from, to })).toMatchObject({ result, unit });
    });
  }

  test("says why it cannot", async () => {
    const wrong = (from: string, to: string, value = 1) =>
      expect(call(convertUnits, { value, from, to })).rejects;
    await wrong("km", "kg").toThrow("km is a unit of length and kg one of mass");
    await wrong("furlong", "km").toThrow(/no unit "furlong".*length \(m, km/);
    await wrong("constructor", "km").toThrow('no unit "constructor"');
    await wrong("km", "mm", 1e308).toThrow("too large");
  });
});

describe("text_statistics", () => {
  test("counts as a reader does", async () => {
    const text = "The cat sat. The dog ran!\nWas the 👩‍💻 naïve? 猫";
    expect(await call(textStatistics, { text })).toEqual({
      characters: 44,
      words: 10,
      sentences: 4,
      lines: 2,
      bytes: Buffer.byteLength(text),
      frequent_words: [
        { word: "the", count: 3 },
        { word: "cat", count: 1 },
        { word: "dog", count: 1 },
        { word: "naïve", count: 1 },
        { word: "ran", count: 1 },
      ],
    });
    expect(await call(textStatistics, { text: "" })).toMatchObject({ characters: 0, words: 0, lines: 0 });
  });
});

describe("query_json", () => {
  const json = '{"users":[{"name":"Ada","a/b":{"m~n":1}}],"empty":{},"none":null,"":"blank"}';
  const query = (pointer: string, indent = 0) => call(queryJson, { json, pointer, indent });

  test("formats the whole, or follows a pointer", async () => {
    expect(await call(queryJson, { json: "[1,{}]" })).toBe("[\n  1,\n  {}\n]");
    expect(await query("")).toBe(json);
    expect(await query("/users/0/name")).toBe('"Ada"');
    expect(await query("/users/0/a~1b/m~0n")).toBe("1");
    expect(await query("/none")).toBe("null");
    expect(await query("/")).toBe('"blank"');
  });

  test("says where the way ends, and never leaves the document", async () => {
    await expect(query("/users/1")).rejects.toThrow('/users has no "1". It has: 0 to 0.');
    await expect(query("/nobody")).rejects.toThrow(
      'The top level has no "nobody". It has: users, empty, none',
    );
    await expect(query("/none/x")).rejects.toThrow("/none is null: nothing is inside.");
    await expect(query("users")).rejects.toThrow('starts with a slash: "/users"?');
    await expect(query("/constructor")).rejects.toThrow('no "constructor"');
    await expect(query("/users/length")).rejects.toThrow('no "length"');
    await expect(call(queryJson, { json: "{oops" })).rejects.toThrow("This is not JSON");
  });
});

describe("roll_dice", () => {
  test("rolls what was asked for, fairly enough", async () => {
    const faces = new Set<number>();
    for (let round = 0; round < 5; round++) {
      const { rolls, total } = (await call(rollDice, { dice: "100D6 - 3" })) as {
        rolls: number[];
        total: number;
      };
      expect(rolls).toHaveLength(100);
      expect(total).toBe(rolls.reduce((sum, roll) => sum + roll, -3));
      for (const roll of rolls) faces.add(roll);
    }
    expect([...faces].toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await call(rollDice, { dice: "d20" })).toMatchObject({
      dice: "d20",
      rolls: [expect.any(Number)],
    });
  });

  test("refuses what cannot be rolled", async () => {
    for (const dice of ["", "six", "0d6", "101d6", "2d1", "2d1001", "1d6+", "-1d6", "1e2d6"]) {
      await expect(call(rollDice, { dice })).rejects.toThrow(/cannot be rolled\. Write it like d20/);
    }
  });
});
