// Why a request got no response, for people, and whether the server may have it all the same.

export interface FailureReason {
  readonly reason: string;
  readonly maybeDelivered: boolean;
}

const NO_ROUTE = "there is no way to that host. Check the network and http_url.";
const NOT_RESOLVED = "the host name cannot be resolved. Check the network and http_url.";
const UNKNOWN_ISSUER =
  "this machine does not trust the issuer of the server's TLS certificate. Set NODE_EXTRA_CA_CERTS to the issuer's certificate file, or use a certificate of a public authority.";

/** Failures from before a byte of the request could have left. */
const BEFORE_SENDING: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there. Start the server, or correct http_url."],
  ["ENOTFOUND", NOT_RESOLVED],
  ["EAI_AGAIN", NOT_RESOLVED],
  ["EHOSTUNREACH", NO_ROUTE],
  ["ENETUNREACH", NO_ROUTE],
  ["ETIMEDOUT", "the host does not answer. Check the network, a firewall between, and http_url."],
  ["ECONNABORTED", "the server closed the connection as soon as it was open."],
  ["EPROTO", "the TLS handshake failed. Does that port speak TLS (https), or plain http?"],
  ["CERT_HAS_EXPIRED", "the server's TLS certificate has expired. Renew it on the server."],
  ["CERT_NOT_YET_VALID", "the server's TLS certificate is not valid yet. Check the clocks of both machines."],
  [
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "the server's TLS certificate is for another host name. Use that name in http_url.",
  ],
  [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "the server's TLS certificate is self-signed. Set NODE_EXTRA_CA_CERTS to its file, or use a certificate of a public authority.",
  ],
  ["SELF_SIGNED_CERT_IN_CHAIN", UNKNOWN_ISSUER],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", UNKNOWN_ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT", UNKNOWN_ISSUER],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UNKNOWN_ISSUER],
]);

const CERTIFICATE_CODE = /CERT|ISSUER|SIGNATURE|ERR_TLS/;
/** The connection was lost; the server may or may not have read the request. */
const LOST_CODES: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Failures at a time when the request may already have been sent. */
const AFTER_SENDING: ReadonlyMap<string, string> = new Map([
  ["ECONNRESET", "the server closed the connection before it answered. Look at the server's own log."],
  ["EPIPE", "the server closed the connection before it answered. Look at the server's own log."],
  ["Malformed_HTTP_Response", "the server does not speak HTTP. Check http_url."],
  ["ZlibError", "the server's compressed response is damaged."],
  ["TimeoutError", "no answer came in time."],
  ["AbortError", "the request was cancelled."],
]);

/** The platform's messages are never shown: they may contain the URL, and a key in it. */
export function explainFailure(error: unknown): FailureReason {
  const code = failureCode(error);
  const early = BEFORE_SENDING.get(code);
  if (early !== undefined) return { reason: `${early} (${code})`, maybeDelivered: false };
  if (CERTIFICATE_CODE.test(code)) {
    return { reason: `the server's TLS certificate is not trusted (${code}).`, maybeDelivered: false };
  }
  const late = AFTER_SENDING.get(code);
  return { reason: late === undefined ? `${code}.` : `${late} (${code})`, maybeDelivered: true };
}

/** True if the connection was closed before a response, for example a kept connection that the server had just closed. */
export function isConnectionLost(error: unknown): boolean {
  return LOST_CODES.has(failureCode(error));
}

/** The code of the failure. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
