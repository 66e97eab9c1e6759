// How tables look in a terminal: no lines, two spaces between columns, so that they can be cut and searched.

const EDGES = ["top", "bottom", "left", "right", "mid"];

export const PLAIN = {
  ...Object.fromEntries(
    EDGES.flatMap((edge) => [edge, ...["mid", "left", "right"].map((end) => `${edge}-${end}`)]).map(
      (name) => [name, ""],
    ),
  ),
  middle: "  ",
};
