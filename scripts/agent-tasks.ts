// Twenty things that somebody may want done with four servers: what they say, what they know, how it shows that it is done.

import { join } from "node:path";
import type { Facts } from "./agent-arguments.ts";

export interface Task {
  /** What the agent searches for. */
  readonly wish: string;
  readonly knows: Facts;
  /** What the text, or the kind of the content, must look like. */
  readonly done: RegExp;
}

export function tasksIn(folder: string): Task[] {
  const notes = join(folder, "plans", "notes.txt");
  const moved = join(folder, "plans", "old-notes.txt");
  return [
    { wish: "make a new folder", knows: { path: join(folder, "plans") }, done: /created/i },
    {
      wish: "write a text to a new file",
      knows: { "path|file": notes, "content|text": "first line\nsecond line\n" },
      done: /wrote/i,
    },
    { wish: "read what is in a text file", knows: { "path|file": notes }, done: /first line\nsecond line/ },
    {
      wish: "replace words in a file",
      knows: { "path|file": notes, "edit|change": [{ old: "second", new: "last" }] },
      done: /\+last line/,
    },
    {
      wish: "find files by a pattern of their name",
      knows: { "path|folder": folder, "pattern|glob": "**/*.txt" },
      done: /notes\.txt/,
    },
    {
      wish: "when was a file changed, and how large is it",
      knows: { "path|file": notes },
      done: /size: \d+/,
    },
    { wish: "rename a file", knows: { "source|from|old": notes, "dest|to|new": moved }, done: /moved/i },
    {
      wish: "what files are in a folder",
      knows: { "path|folder": join(folder, "plans") },
      done: /old-notes\.txt/,
    },
    {
      wish: "remember a new person in the knowledge graph",
      knows: {
        "entit|node": [{ "^name": "Ada", type: "person", "observ|fact": ["wrote the first program"] }],
      },
      done: /Ada/,
    },
    {
      wish: "remember a machine as a new entity",
      knows: { "entit|node": [{ "^name": "Engine", type: "machine", "observ|fact": [] }] },
      done: /Engine/,
    },
    {
      wish: "record how two entities are related",
      knows: { relation: [{ from: "Ada", to: "Engine", type: "programs" }] },
      done: /programs/,
    },
    {
      wish: "add an observation about an entity",
      knows: { "observ|fact": [{ "entity|name": "Ada", "content|observ": ["born 1815"] }] },
      done: /born 1815/,
    },
    { wish: "search the knowledge graph for a word", knows: { query: "1815" }, done: /"Ada"/ },
    {
      wish: "forget an entity of the knowledge graph",
      knows: { "name|entit": ["Engine"] },
      done: /deleted/i,
    },
    { wish: "add two numbers", knows: { "^a$": 19, "^b$": 23 }, done: /42/ },
    {
      wish: "echo a message back",
      knows: { "message|text": "is there anybody?" },
      done: /is there anybody\?/,
    },
    { wish: "show me a small picture", knows: {}, done: /image\/png/ },
    {
      wish: "convert miles to kilometres",
      knows: { "value|amount|number": 26.2, from: "mi", "^to": "km" },
      done: /42\.1/,
    },
    {
      wish: "take a note and tag it",
      knows: { "title|name": "Milk", "text|content|body": "Buy some", tag: ["errand"] },
      done: /Milk/,
    },
    { wish: "which of my notes have this tag", knows: { tag: "errand" }, done: /Buy some|Milk/ },
  ];
}
