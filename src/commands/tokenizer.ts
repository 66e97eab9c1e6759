// Counts tokens as models do that use o200k. Carries the ranks as a file: as a module they would cost every start of the
// program three times their size.

export const TOKENIZER = "o200k_base";

export type CountTokens = (text: string) => number;

const BYTE_ORDER_MARK = "\ufeff";

/** Takes most of a second; only for commands that count. */
export async function loadTokenizer(): Promise<CountTokens> {
  const { GptEncoding } = await import("gpt-tokenizer/GptEncoding");
  const { default: path } = await import("gpt-tokenizer/data/o200k_base.tiktoken", {
    with: { type: "file" },
  });
  const ranks = readRanks(await Bun.file(path).text());
  const { encode } = GptEncoding.getEncodingApi(TOKENIZER, () => ranks);
  return (text) => encode(text).length;
}

/** Lines of a token in base64 and its rank; what is no UTF-8 by itself stays bytes. */
export function readRanks(text: string): (string | number[])[] {
  const ranks: (string | number[])[] = [];
  for (const line of text.split("\n")) {
    const [encoded = "", rank] = line.split(" ");
    if (rank === undefined) continue;
    const bytes = Buffer.from(encoded, "base64");
    const token = bytes.toString("utf8");
    const isText = !token.startsWith(BYTE_ORDER_MARK) && Buffer.from(token).equals(bytes);
    ranks[Number(rank)] = isText ? token : [...bytes];
  }
  return ranks;
}
