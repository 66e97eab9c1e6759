// The keys of a backend that say how long its processes live, how many there are and how much they get at once.

import { Type } from "@sinclair/typebox";
import { choice, flag, type Words } from "./shapes.ts";

export const SCOPES = ["shared", "session"] as const;

function count(least: number, { hints, ...words }: Words) {
  const expected = least === 0 ? "a whole number, 0 or more" : `a whole number from ${least}`;
  return Type.Integer({ minimum: least, ...words, hints: { expected, isShown: true, ...hints } });
}

export const lifetimeKeys = {
  warm: Type.Optional(
    flag({ description: "Start it with the gateway, before anybody needs it.", default: false }),
  ),
  keep_alive: Type.Optional(
    flag({
      description:
        "Once started it never sleeps, whatever `idle_timeout` says; when it dies it is started again in the background.",
      default: false,
    }),
  ),
  keep_detached: Type.Optional(
    flag({
      description:
        "`true` keeps processes that the backend started in a session of their own (a daemon, a browser). Otherwise " +
        "everything that it started ends with it.",
      default: false,
    }),
  ),
  scope: Type.Optional(
    choice(SCOPES, {
      description:
        "`shared`: one process for all clients. `session`: one for each client session (for clients without sessions, " +
        "for each token and client program). Where they would never sleep, processes of clients without sessions end after " +
        "30 minutes without a call.",
      default: "shared",
    }),
  ),
  max_instances: Type.Optional(
    count(1, {
      description:
        "With `scope: session`, the most processes at a time. One whose client has no session and was silent for a minute " +
        "makes way for the next; where there is none, the next client is told so.",
      default: 10,
    }),
  ),
  max_concurrency: Type.Optional(
    count(0, {
      description: "Calls that it gets at the same time; up to 100 more wait for their turn. 0: no limit.",
      default: 0,
    }),
  ),
};
