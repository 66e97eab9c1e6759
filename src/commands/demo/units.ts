// A demo tool that converts units, by one table.

import { Type } from "@sinclair/typebox";
import { defineTool, ToolError } from "./tool.ts";

/** value × factor + offset is the value in the dimension's base unit. */
interface Unit {
  readonly symbol: string;
  readonly dimension: string;
  readonly factor: number;
  readonly offset: number;
}

type Row = [names: string, factor: number, offset?: number];

/** The first name of a unit is its symbol; case and spaces do not matter when looking it up. */
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  length: [
    ["m meter meters metre metres", 1],
    ["km kilometer kilometers kilometre kilometres", 1000],
    ["cm centimeter centimeters centimetre centimetres", 0.01],
    ["mm millimeter millimeters millimetre millimetres", 0.001],
    ["mi mile miles", 1609.344],
    ["yd yard yards", 0.9144],
    ["ft foot feet", 0.3048],
    ["in inch inches", 0.0254],
    ["nmi nauticalmile nauticalmiles", 1852],
  ],
  mass: [
    ["kg kilogram kilograms kilo kilos", 1],
    ["g gram grams", 0.001],
    ["mg milligram milligrams", 1e-6],
    ["t tonne tonnes", 1000],
    ["lb lbs pound pounds", 0.45359237],
    ["oz ounce ounces", 0.028349523125],
  ],
  volume: [
    ["l liter liters litre litres", 1],
    ["ml milliliter milliliters millilitre millilitres", 0.001],
    ["gal gallon gallons", 3.785411784],
    ["qt quart quarts", 0.946352946],
    ["cup cups", 0.2365882365],
    ["floz fluidounce fluidounces", 0.0295735295625],
  ],
  temperature: [
    ["K kelvin", 1],
    ["°C c celsius", 1, 273.15],
    ["°F f fahrenheit", 5 / 9, (459.67 * 5) / 9],
  ],
  speed: [
    ["m/s mps", 1],
    ["km/h kmh kph", 1 / 3.6],
    ["mph mi/h", 0.44704],
    ["kn knot knots", 1852 / 3600],
  ],
  data: [
    ["B byte bytes", 1],
    ["kB kilobyte kilobytes", 1e3],
    ["MB megabyte megabytes", 1e6],
    ["GB gigabyte gigabytes", 1e9],
    ["TB terabyte terabytes", 1e12],
    ["KiB kibibyte kibibytes", 1024],
    ["MiB mebibyte mebibytes", 1024 ** 2],
    ["GiB gibibyte gibibytes", 1024 ** 3],
    ["TiB tebibyte tebibytes", 1024 ** 4],
  ],
  time: [
    ["s sec second seconds", 1],
    ["ms millisecond milliseconds", 0.001],
    ["min minute minutes", 60],
    ["h hour hours", 3600],
    ["d day days", 86_400],
    ["wk week weeks", 604_800],
  ],
};

const UNITS = new Map<string, Unit>();
for (const [dimension, rows] of Object.entries(TABLE)) {
  for (const [names, factor, offset = 0] of rows) {
    const [symbol = "", ...aliases] = names.split(" ");
    for (const name of [symbol, ...aliases]) UNITS.set(toKey(name), { symbol, dimension, factor, offset });
  }
}

const CHOICES = Object.entries(TABLE)
  .map(([dimension, rows]) => `${dimension} (${rows.map(([names]) => names.split(" ", 1)[0]).join(", ")})`)
  .join("; ");

export const convertUnits = defineTool({
  name: "convert_units",
  title: "Convert units",
  description: `Converts a number from one unit to another: ${CHOICES}. Gallons, quarts, cups and ounces are US ones.`,
  input: Type.Object(
    {
      value: Type.Number({ description: "The number to convert" }),
      from: Type.String({ description: "Unit of the number, symbol or English name" }),
      to: Type.String({ description: "Unit to convert to, of the same kind" }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({
    result: Type.Number(),
    unit: Type.String(),
    equation: Type.String({ description: "The conversion as a person writes it" }),
  }),
  annotations: { readOnlyHint: true },
  run({ value, from, to }) {
    const [source, target] = [findUnit(from), findUnit(to)];
    if (source.dimension !== target.dimension) {
      throw new ToolError(
        `${source.symbol} is a unit of ${source.dimension} and ${target.symbol} one of ${target.dimension}: ` +
          "only units of one kind convert into each other.",
      );
    }
    const exact = (value * source.factor + source.offset - target.offset) / target.factor;
    if (!Number.isFinite(exact)) throw new ToolError(`${value} ${source.symbol} is too large to convert.`);
    // Twelve digits: what the factors are good for, without the dust of binary fractions.
    const result = Number(exact.toPrecision(12));
    return {
      result,
      unit: target.symbol,
      equation: `${value} ${source.symbol} = ${result} ${target.symbol}`,
    };
  },
});

function findUnit(name: string): Unit {
  const unit = UNITS.get(toKey(name));
  if (unit === undefined) throw new ToolError(`There is no unit "${name}" here. Known: ${CHOICES}.`);
  return unit;
}

function toKey(name: string): string {
  return name.toLowerCase().replace(/[\s°]/g, "");
}
