// What kind of thing a tool does and a query wants done: reading is not deleting, however alike the objects are.

import { isObject } from "../protocol/jsonrpc.ts";
import type { ToolDoc } from "./tool.ts";
import { stem } from "./words.ts";

const VERBS = {
  read: "get list show read view fetch display retrieve describe find search query lookup browse what which recall",
  create: "create add new make insert generate build remember",
  update: "update edit modify change set rename patch replace",
  delete: "delete remove drop destroy erase purge clear forget",
  convert: "convert transform",
  send: "send publish post upload",
  run: "run execute start launch",
  stop: "stop cancel kill terminate",
};

/** Colloquial and foreign words that ask for a deletion. Accents are folded. */
const DELETING = `delete remove drop destroy erase purge clear forget discard wipe trash strip uninstall unlink shred kill
  losche loschen entferne entfernen vergiss supprime supprimer efface effacer enlever retire retirer oublie oublier
  borra borrar elimina eliminar elimine quitar olvida olvidar apaga apagar remova remover exclua excluir cancella
  cancellare eliminare rimuovi rimuovere verwijder verwijderen wissen usun usunac удали удалить 削除 消去 消す 消し 刪除
  删除 移除 삭제 지워`;

/** A set of kinds, as bits. */
export type Actions = number;

const NONE: Actions = 0;
const BY_VERB = new Map<string, Actions>(
  Object.values(VERBS).flatMap((list, bit) =>
    list.split(" ").map((verb): [string, Actions] => [verb, 1 << bit]),
  ),
);

const DELETE: Actions = 1 << Object.keys(VERBS).indexOf("delete");
const DELETING_STEMS = new Set(DELETING.split(/\s+/).map(stem));

/** True if the tool only deletes. */
export function onlyDeletes(actions: Actions): boolean {
  return actions === DELETE;
}

/** True if a word of the query asks for a deletion. */
export function asksForDeletion(query: readonly string[]): boolean {
  return query.some((word) => DELETING_STEMS.has(stem(word)));
}

/** By the verbs of its name, else by the opening of its description, else by its own annotation. */
export function actionsOf(tool: ToolDoc, name: readonly string[], opening: readonly string[]): Actions {
  const said = actionsIn(name) || actionsIn(opening);
  if (said !== NONE) return said;
  return isObject(tool.annotations) && tool.annotations.readOnlyHint === true ? actionsIn(["read"]) : NONE;
}

function actionsIn(words: readonly string[]): Actions {
  return words.reduce((all, word) => all | (BY_VERB.get(word) ?? NONE), NONE);
}

/** The first verb near the start of a query is what is wanted. */
export function actionsWanted(query: readonly string[]): Actions {
  for (const word of query.slice(0, 6)) {
    const action = BY_VERB.get(word);
    if (action !== undefined) return action;
  }
  return NONE;
}
