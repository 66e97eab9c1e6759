// Every indexed tool and server, by word: what is searched. Must not know how the finds are ranked.

import { isObject } from "../protocol/jsonrpc.ts";
import { type Actions, actionsOf } from "./actions.ts";
import { deprecationOf } from "./deprecation.ts";
import { FIELD_NAMES, fieldsOf, nameParts, weightAt } from "./fields.ts";
import { Postings } from "./postings.ts";
import { Tally } from "./tally.ts";
import { type ServerDoc, type ToolDoc, textOf } from "./tool.ts";
import { Vocabulary } from "./vocabulary.ts";

/** So many words of a description are kept in their order, to find phrases in. */
const PHRASE_WORDS = 60;
/** So many tell by their verbs what the tool does. */
const OPENING_WORDS = 3;
/** What a word says of a whole server: in its name and description, in the names and descriptions of its tools. */
const SERVER_WEIGHT = { name: 3, description: 0.3, toolNames: 2, toolDescriptions: 1 };
const SERVER_DESCRIPTION_LENGTH = 400;
const TOOL_DESCRIPTION_WORDS = 40;

export interface Entry {
  readonly server: ServerEntry;
  readonly tool: ToolDoc;
  /** Its number among the tools. */
  readonly slot: number;
  /** Word numbers: of the name, each once; of the name and of the description, in order. */
  readonly name: readonly number[];
  readonly nameText: Int32Array;
  readonly descriptionText: Int32Array;
  readonly actions: Actions;
  readonly isDeprecated: boolean;
}

export interface ServerEntry {
  readonly name: string;
  /** Its number among the servers. */
  readonly slot: number;
  readonly entries: Entry[];
  /** The numbers of all words that lead to it or to its tools. */
  words: Int32Array;
}

export class Corpus {
  readonly vocabulary = new Vocabulary();
  readonly tools = new Postings();
  readonly servers = new Postings();
  readonly #byName = new Map<string, ServerEntry>();
  readonly #entries: (Entry | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #freeServerSlots: number[] = [];
  readonly #tally = new Tally();
  #toolCount = 0;
  #serverSlotCount = 0;

  get toolCount(): number {
    return this.#toolCount;
  }

  get serverCount(): number {
    return this.#byName.size;
  }

  /** The numbers of tools stay below this. */
  get slotCount(): number {
    return this.#entries.length;
  }

  /** The numbers of servers stay below this. */
  get serverSlotCount(): number {
    return this.#serverSlotCount;
  }

  entry(slot: number): Entry | undefined {
    return this.#entries[slot];
  }

  all(): Iterable<ServerEntry> {
    return this.#byName.values();
  }

  add(doc: ServerDoc): void {
    this.remove(doc.name);
    const slot = this.#freeServerSlots.pop() ?? this.#serverSlotCount++;
    const server: ServerEntry = { name: doc.name, slot, entries: [], words: new Int32Array(0) };
    this.#byName.set(doc.name, server);
    const used = new Set<number>();
    const seen = new Set<string>();
    for (const tool of doc.tools) {
      if (!isObject(tool) || typeof tool.name !== "string" || seen.has(tool.name)) continue;
      seen.add(tool.name);
      this.#addTool(server, tool, used);
    }
    this.#describe(server, doc);
    this.#tally.drain((word, weight) => {
      this.servers.add(word, slot, weight);
      used.add(word);
    });
    server.words = Int32Array.from(used);
  }

  remove(name: string): void {
    const server = this.#byName.get(name);
    if (server === undefined) return;
    const isOfServer = (slot: number) => this.#entries[slot]?.server === server;
    for (const word of server.words) {
      this.tools.remove(word, isOfServer);
      this.servers.remove(word, (slot) => slot === server.slot);
      // Stop words stand in texts that they are not found by.
      const isUnused = this.tools.count(word) + this.servers.count(word) === 0;
      if (isUnused && !this.vocabulary.isStopWord(word)) this.vocabulary.forget(word);
    }
    for (const { slot } of server.entries) {
      this.#entries[slot] = undefined;
      this.#freeSlots.push(slot);
    }
    this.#toolCount -= server.entries.length;
    this.#freeServerSlots.push(server.slot);
    this.#byName.delete(name);
  }

  #addTool(server: ServerEntry, tool: ToolDoc, used: Set<number>): void {
    const slot = this.#freeSlots.pop() ?? this.#entries.length;
    const fields = fieldsOf(tool, this.vocabulary);
    for (const field of FIELD_NAMES) {
      const text = fields[field];
      for (let i = 0; i < text.words.length; i++) this.#tally.add(text.words[i] ?? 0, weightAt(text, i));
    }
    this.#tally.drain((word, weight) => {
      this.tools.add(word, slot, weight);
      used.add(word);
    });
    const parts = nameParts(tool);
    const opening = fields.description.words
      .slice(0, OPENING_WORDS)
      .map((word) => this.vocabulary.wordOf(word));
    const entry: Entry = {
      server,
      tool,
      slot,
      name: [...new Set(parts)].map((word) => this.vocabulary.add(word)),
      nameText: Int32Array.from(fields.name.words),
      descriptionText: Int32Array.from(fields.description.words.slice(0, PHRASE_WORDS)),
      actions: actionsOf(tool, parts, opening),
      isDeprecated: deprecationOf(tool) !== undefined,
    };
    this.#entries[slot] = entry;
    this.#toolCount += 1;
    server.entries.push(entry);
  }

  /** Tallies what its own texts and its tools' say of a server. */
  #describe(server: ServerEntry, doc: ServerDoc): void {
    const count = (numbers: Iterable<number>, weight: number) => {
      for (const word of numbers) if (!this.vocabulary.isStopWord(word)) this.#tally.add(word, weight);
    };
    const share = 1 / Math.max(1, server.entries.length);
    for (const { nameText, descriptionText } of server.entries) {
      count(nameText, SERVER_WEIGHT.toolNames * share);
      count(descriptionText.subarray(0, TOOL_DESCRIPTION_WORDS), SERVER_WEIGHT.toolDescriptions * share);
    }
    count(this.vocabulary.addText(doc.name), SERVER_WEIGHT.name);
    count(
      this.vocabulary.addText(textOf(doc.description, SERVER_DESCRIPTION_LENGTH)),
      SERVER_WEIGHT.description,
    );
  }
}
