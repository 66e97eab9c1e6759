// The notes of the demo: kept in memory, gone with the process. The tools that write and search them.

import { Type } from "@sinclair/typebox";
import { defineTool, type Tool, ToolError } from "./tool.ts";

const MAX_NOTES = 200;
const EPHEMERAL = "Notes live in memory and are gone when this demo stops or goes to sleep.";

const NoteShape = Type.Object({
  id: Type.Integer(),
  title: Type.String(),
  text: Type.String(),
  tags: Type.Array(Type.String()),
});

interface Note {
  readonly id: number;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

export class Notes {
  readonly #notes: Note[] = [];
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  add(title: string, text: string, tags: readonly string[]): Note {
    if (this.#notes.length >= MAX_NOTES) {
      throw new ToolError(`There are ${MAX_NOTES} notes already, and no room for more. ${EPHEMERAL}`);
    }
    const note = { id: this.#notes.length + 1, title, text, tags };
    this.#notes.push(note);
    this.#onChange();
    return note;
  }

  /** Newest first. Every word of the query must occur in title, text or tags. */
  find(query: string, tag?: string): Note[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return this.#notes
      .filter((note) => tag === undefined || note.tags.includes(tag))
      .filter((note) => {
        const all = [note.title, note.text, ...note.tags].join("\n").toLowerCase();
        return words.every((word) => all.includes(word));
      })
      .toReversed();
  }

  toMarkdown(): string {
    if (this.#notes.length === 0) return "There are no notes yet. The tool add_note writes one.\n";
    const sections = this.#notes.map(({ title, text, tags }) => {
      const marks = tags.length === 0 ? "" : `\n\nTags: ${tags.join(", ")}`;
      return `## ${title}\n\n${text}${marks}\n`;
    });
    return sections.join("\n");
  }
}

export function noteTools(notes: Notes): Tool[] {
  return [addNote(notes), findNotes(notes)];
}

function addNote(notes: Notes): Tool {
  return defineTool({
    name: "add_note",
    title: "Add a note",
    description: `Writes down a note with a title, a text and tags, to be found again with find_notes. ${EPHEMERAL}`,
    input: Type.Object(
      {
        title: Type.String({
          minLength: 1,
          maxLength: 200,
          description: "A line that says what it is about",
        }),
        text: Type.String({ maxLength: 10_000, description: "The note itself" }),
        tags: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 50 }), {
            maxItems: 20,
            description: "Words to find it by",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    output: NoteShape,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    run: ({ title, text, tags = [] }) => ({ ...notes.add(title, text, tags) }),
  });
}

function findNotes(notes: Notes): Tool {
  return defineTool({
    name: "find_notes",
    title: "Find notes",
    description:
      "Lists the notes written with add_note, newest first: all, or those with certain words or a tag.",
    input: Type.Object(
      {
        query: Type.Optional(
          Type.String({ maxLength: 500, description: "Words that must all occur in a note" }),
        ),
        tag: Type.Optional(Type.String({ description: "Only notes with exactly this tag" })),
      },
      { additionalProperties: false },
    ),
    output: Type.Object({ notes: Type.Array(NoteShape) }),
    annotations: { readOnlyHint: true },
    run: ({ query = "", tag }) => ({ notes: notes.find(query, tag) }),
  });
}
