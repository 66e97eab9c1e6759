// `tools` of one backend as finished values. Knows no tool.

import type { Static } from "@sinclair/typebox";
import type { Findings } from "./check.ts";
import type { ToolRules } from "./config.ts";
import { type Path, pathText } from "./problem.ts";
import type { ToolRulesSchema } from "./tool-keys.ts";

/** Undefined where nothing is ruled. */
export function readToolRules(
  written: Static<typeof ToolRulesSchema> | undefined,
  path: Path,
  findings: Findings,
): ToolRules | undefined {
  const { allow, deny = [], rename = {}, describe = {} } = written ?? {};
  const names = new Map<string, string>();
  for (const [own, shown] of Object.entries(rename)) {
    const twin = names.get(shown);
    if (twin !== undefined) {
      const message = `${pathText(path)}.rename gives "${twin}" and "${own}" the same name, ${shown}`;
      findings.problem([...path, "rename", own], "value", { message });
    }
    names.set(shown, own);
  }
  const isSilent = deny.length + names.size + Object.keys(describe).length === 0;
  if (isSilent && allow === undefined) return undefined;
  return {
    ...(allow === undefined ? {} : { allow }),
    deny,
    rename: { ...rename },
    describe: { ...describe },
  };
}
