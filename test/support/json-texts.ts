// Texts of JSON values that parsing and writing anew would not give back: numbers of any form and size, keys in any order
// and more than once, escapes, white space, lone surrogates, depth.

import fc from "fast-check";

/** White space as JSON allows it. */
const space = fc.stringMatching(/^[ \t\n\r]{0,2}$/);
const number = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
  fc.constantFrom("-0", "1.0", "1e400", "1234567890123456789"),
);
const string = fc
  .string({
    unit: fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constantFrom('"', "\\", "\n", "{", "[", ",", "\u2028"),
    ),
  })
  .map((text) => JSON.stringify(text))
  .map((text) => text.replaceAll("é", "\\u00e9").replaceAll("/", "\\/"));
const scalar = fc.oneof(number, string, fc.constantFrom("true", "false", "null"));
const key = fc.oneof(string, fc.constantFrom('"a"', '"\\u0061"', '"1"', '"0"', '"__proto__"', '""'));

/** The text of any JSON value. */
export const { json: jsonText } = fc.letrec<{ json: string; array: string; object: string }>((tie) => ({
  json: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("array"), tie("object")),
  array: fc
    .array(
      fc.tuple(space, tie("json"), space).map((parts) => parts.join("")),
      { maxLength: 4 },
    )
    .chain((items) => space.map((gap) => `[${items.length === 0 ? gap : items.join(",")}]`)),
  object: fc.array(fc.tuple(space, key, space, tie("json"), space), { maxLength: 4 }).chain((members) =>
    space.map((gap) => {
      const texts = members.map(([a, name, b, value, c]) => `${a}${name}${b}:${value}${c}`);
      return `{${texts.length === 0 ? gap : texts.join(",")}}`;
    }),
  ),
}));
