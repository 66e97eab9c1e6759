// Hashes, and names that nobody can guess, by the runtime itself: node:crypto would be one more thing for every start.

export function sha256(text: string): Buffer {
  return new Bun.CryptoHasher("sha256").update(text).digest();
}

/** An HMAC: without the key, the result cannot be used to test guesses of the text. */
export function hmacSha256(key: Buffer, text: string): Buffer {
  return new Bun.CryptoHasher("sha256", key).update(text).digest();
}

export function randomBytes(count: number): Buffer {
  return crypto.getRandomValues(Buffer.alloc(count));
}

/** Letters, digits, `-` and `_`: four of them for three bytes. */
export function randomName(bytes: number): string {
  return randomBytes(bytes).toString("base64url");
}

/** The time that it takes says nothing about where they differ. */
export function isSameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && crypto.timingSafeEqual(a, b);
}
