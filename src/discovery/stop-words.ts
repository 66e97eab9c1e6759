// Words that say how one speaks and not what is wanted. In a tool's name alone they mean something: `who`, `get_by_id`.

import { singular } from "./words.ts";

export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a an the of to in on at by for from with and or is are was were be been being am do does did this that these those
  it its i me my mine we our us you your he she they them their his her as into onto than then so such can could would
  should will shall may might must not no please want need like help let just about any some which what who whom whose
  when where why how there here has have had having if via per using use used give tell also too very up out over
  something anything someone somebody anyone thing stuff
  e g ie eg etc s t don`
    .split(/\s+/)
    .map(singular),
);
