// What an entry of the list of allowed differences says, and the words that entries are written in.

import type { Difference } from "./compare.ts";
import type { Row } from "./rows.ts";

export interface Listed {
  readonly name: string;
  /** The sentence of the specification, or what it leaves open. */
  readonly reason: string;
  readonly rows?: (row: Row) => boolean;
  readonly cases?: RegExp;
  readonly path: RegExp;
  readonly fits?: (difference: Difference) => boolean;
}

export const appears = ({ direct }: Difference) => direct === undefined;
export const isMissing = ({ through }: Difference) => through === undefined;
export const isSaid = ({ direct, through }: Difference) =>
  typeof direct === "string" && typeof through === "string";
export const isTo = (direct: unknown, through: unknown) => (difference: Difference) =>
  difference.direct === direct && difference.through === through;
export const isPlain = isTo("text/event-stream", "application/json");
export const toModern = (row: Row) => !row.isSameEra && row.era === "legacy";
export const toLegacy = (row: Row) => !row.isSameEra && row.era === "modern";
