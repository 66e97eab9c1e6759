// A demo tool that rolls dice.

import { Type } from "@sinclair/typebox";
import { defineTool, ToolError } from "./tool.ts";

const MAX_DICE = 100;
const MAX_SIDES = 1000;

export const rollDice = defineTool({
  name: "roll_dice",
  title: "Roll dice",
  description:
    "Rolls fair dice given in the usual notation (d20, 2d6, 3d8+2) and shows each roll and the total.",
  input: Type.Object(
    {
      dice: Type.String({
        description: `Such as d20 or 2d6+1: at most ${MAX_DICE} dice of 2 to ${MAX_SIDES} sides`,
      }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ dice: Type.String(), rolls: Type.Array(Type.Integer()), total: Type.Integer() }),
  annotations: { readOnlyHint: true },
  run({ dice }) {
    const notation = dice.replaceAll(" ", "").toLowerCase();
    const match = /^(\d{0,3})d(\d{1,4})([+-]\d{1,6})?$/.exec(notation);
    const [count, sides, bonus] = [Number(match?.[1] || 1), Number(match?.[2]), Number(match?.[3] ?? 0)];
    if (match === null || count < 1 || count > MAX_DICE || sides < 2 || sides > MAX_SIDES) {
      throw new ToolError(
        `"${dice.slice(0, 40)}" cannot be rolled. Write it like d20, 2d6 or 3d8+2, ` +
          `with 1 to ${MAX_DICE} dice of 2 to ${MAX_SIDES} sides.`,
      );
    }
    const { randomInt } = process.getBuiltinModule("node:crypto");
    const rolls = Array.from({ length: count }, () => randomInt(1, sides + 1));
    return { dice: notation, rolls, total: rolls.reduce((sum, roll) => sum + roll, bonus) };
  },
});
