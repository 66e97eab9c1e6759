// Demo tools about time: what time it is, and a call that takes a while.

import { setTimeout as sleep } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import { distance } from "fastest-levenshtein";
import { defineTool, ToolError } from "./tool.ts";

export const currentTime = defineTool({
  name: "current_time",
  title: "Current time",
  description: "Tells the current date and time in any time zone, with weekday and offset from UTC.",
  input: Type.Object(
    {
      time_zone: Type.Optional(
        Type.String({ description: "IANA name such as Europe/Berlin; UTC if left out" }),
      ),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    time_zone: Type.String(),
    local_time: Type.String({ description: "Date and time on the clocks of that zone, without offset" }),
    weekday: Type.String(),
    utc_offset: Type.String({ description: "Such as +02:00" }),
    unix_seconds: Type.Integer(),
  }),
  annotations: { readOnlyHint: true },
  run({ time_zone = "UTC" }) {
    const now = new Date();
    const parts = new Map(
      clockOf(time_zone)
        .formatToParts(now)
        .map(({ type, value }) => [type, value]),
    );
    const [year, month, day] = [parts.get("year"), parts.get("month"), parts.get("day")];
    const [hour, minute, second] = [parts.get("hour"), parts.get("minute"), parts.get("second")];
    return {
      time_zone,
      local_time: `${year}-${month}-${day}T${hour}:${minute}:${second}`,
      weekday: parts.get("weekday"),
      utc_offset: parts.get("timeZoneName")?.slice("GMT".length) || "+00:00",
      unix_seconds: Math.floor(now.getTime() / 1000),
    };
  },
});

function clockOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-GB", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "long",
      timeZoneName: "longOffset",
      hourCycle: "h23",
    });
  } catch (cause) {
    const message = `There is no time zone "${timeZone}". Did you mean ${nearestZones(timeZone).join(", ")}?`;
    throw new ToolError(message, { cause });
  }
}

/** People write a city or a typo: both the whole name and its last part are compared. */
function nearestZones(name: string): string[] {
  const wanted = name.slice(0, 64).toLowerCase().replaceAll(" ", "_");
  const far = (zone: string) => {
    const whole = zone.toLowerCase();
    return Math.min(distance(wanted, whole), distance(wanted, whole.slice(whole.lastIndexOf("/") + 1)));
  };
  return Intl.supportedValuesOf("timeZone")
    .map((zone) => ({ zone, far: far(zone) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ zone }) => zone);
}

export const countDown = defineTool({
  name: "count_down",
  title: "Count down",
  description:
    "Counts down to zero, slowly, and reports progress at each step. Shows progress and cancellation at work.",
  input: Type.Object(
    {
      from: Type.Integer({ minimum: 1, maximum: 60, description: "Where to start, 1 to 60" }),
      step_ms: Type.Optional(
        Type.Integer({
          minimum: 10,
          maximum: 5000,
          description: "Milliseconds per step, 10 to 5000; 1000 if left out",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  annotations: { readOnlyHint: true },
  async run({ from, step_ms = 1000 }, { signal, progress }) {
    for (let step = 1; step <= from; step++) {
      await sleep(step_ms, undefined, { signal });
      await progress(step, from, step === from ? "Lift-off" : `${from - step} to go`);
    }
    return `Lift-off after ${from} steps of ${step_ms} ms.`;
  },
});
