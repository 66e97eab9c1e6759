// Text that leaves us and must come back as it was: session ids and request states. Signed, not hidden.

import { hmacSha256, isSameBytes } from "../digest.ts";

const SIGNATURE_BYTES = 18;

export class Seal {
  readonly #key: Buffer;
  readonly #purpose: string;

  /** Seals of different purposes never open each other's text. */
  constructor(key: Buffer, purpose: string) {
    this.#key = key;
    this.#purpose = purpose;
  }

  close(payload: unknown): string {
    const body = Buffer.from(JSON.stringify(payload)).toString("base64url");
    return `${body}.${this.#sign(body)}`;
  }

  /** The payload, or undefined where the text is not ours or was changed. The shape is the caller's to check. */
  open(text: string): unknown {
    const dot = text.indexOf(".");
    if (dot < 0) return undefined;
    const body = text.slice(0, dot);
    // Compared as text: many texts decode to the same bytes, and each payload must have one name only.
    const signature = Buffer.from(text.slice(dot + 1));
    const expected = Buffer.from(this.#sign(body));
    if (!isSameBytes(signature, expected)) return undefined;
    try {
      return JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
    } catch {
      return undefined;
    }
  }

  #sign(body: string): string {
    const hmac = hmacSha256(this.#key, `${this.#purpose}\0${body}`);
    return hmac.toString("base64url", 0, SIGNATURE_BYTES);
  }
}
