// Words that belong to one client and one call: where another's word turns up, something has crossed over.

const WORD = /\bword-(\d+)-(\d+)-(\w)x/g;

export function wordOf(client: number, call: number): string {
  return `word-${client}-${call}-${check(client, call)}x`;
}

/** The words in a text that are not of this client, and not of this call where one is named. */
export function foreignWords(text: string, client: number, call?: number): string[] {
  return [...text.matchAll(WORD)]
    .filter(([, whose, which, sign]) => {
      const [owner, number] = [Number(whose), Number(which)];
      // A word that was broken on purpose is nobody's.
      if (sign !== check(owner, number)) return false;
      return owner !== client || (call !== undefined && number !== call);
    })
    .map(([word]) => word);
}

function check(client: number, call: number): string {
  return ((client * 7 + call * 13) % 31).toString(31);
}
