// Why a request got no response, for people, and whether the server may have it all the same.

export interface FailureReason {
  readonly reason: string;
  readonly maybeDelivered: boolean;
}

const NO_ROUTE = "there is no way to that host. Check the network and http_url.";
const NOT_RESOLVED = "the host name cannot be resolved. Check the network and http_url.";

/** Failures from before a byte of the request could have left. */
const BEFORE_SENDING: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there. Start the server, or correct http_url."],
  ["ENOTFOUND", NOT_RESOLVED],
  ["EAI_AGAIN", NOT_RESOLVED],
  ["EHOSTUNREACH", NO_ROUTE],
  ["ENETUNREACH", NO_ROUTE],
  ["ECONNABORTED", "the server closed the connection as soon as it was open."],
  ["EPROTO", "the TLS handshake failed. Does that port speak TLS (https), or plain http?"],
]);

const CERTIFICATE_CODE = /CERT|ISSUER|SIGNATURE|ERR_TLS/;

export function explainFailure(error: unknown): FailureReason {
  const code = failureCode(error);
  const early = BEFORE_SENDING.get(code);
  if (early !== undefined) return { reason: `${early} (${code})`, maybeDelivered: false };
  if (CERTIFICATE_CODE.test(code)) {
    return { reason: `the server's TLS certificate is not trusted (${code}).`, maybeDelivered: false };
  }
  if (code === "ECONNRESET") {
    return { reason: "the connection was closed before an answer came. (ECONNRESET)", maybeDelivered: true };
  }
  if (code === "Malformed_HTTP_Response") {
    return { reason: "what answered does not speak HTTP. Check http_url.", maybeDelivered: true };
  }
  return { reason: `${code}.`, maybeDelivered: true };
}

/** What a connection failed with, in one word; Bun's own sentences may hold the URL, and with it a key. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
