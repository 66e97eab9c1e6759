// Why a request got no response, in our words: the runtime's ask the reader questions and may hold the URL.

import { describe, expect, test } from "bun:test";
import { explainFailure, isConnectionLost } from "../../src/transport/http-failure.ts";

const failed = (code: string) =>
  Object.assign(new TypeError(`${code}: Unable to connect. Is the computer able to access the url?`), {
    code,
  });

describe("a request that failed", () => {
  test.each([
    ["ECONNREFUSED", "nothing listens there. Start the server", false],
    ["ENOTFOUND", "the host name cannot be resolved. Check the network", false],
    ["EAI_AGAIN", "the host name cannot be resolved. Check the network", false],
    ["EHOSTUNREACH", "there is no way to that host", false],
    ["ETIMEDOUT", "the host does not answer. Check the network", false],
    ["EPROTO", "the TLS handshake failed. Does that port speak TLS", false],
    ["CERT_HAS_EXPIRED", "certificate has expired. Renew it", false],
    ["CERT_NOT_YET_VALID", "not valid yet. Check the clocks", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed. Set NODE_EXTRA_CA_CERTS", false],
    ["SELF_SIGNED_CERT_IN_CHAIN", "Set NODE_EXTRA_CA_CERTS", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Set NODE_EXTRA_CA_CERTS", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "for another host name", false],
    ["CERT_REVOKED", "TLS certificate is not trusted (CERT_REVOKED)", false],
    ["ECONNRESET", "closed the connection before it answered. Look at the server's own log", true],
    ["EPIPE", "closed the connection before it answered", true],
    ["Malformed_HTTP_Response", "does not speak HTTP. Check http_url", true],
    ["ZlibError", "compressed response is damaged", true],
    ["EWHATEVER", "EWHATEVER", true],
  ])("with %s: says what happened and what to do", (code, words, maybeDelivered) => {
    const { reason, maybeDelivered: mayHave } = explainFailure(failed(code));
    expect(reason).toContain(words);
    expect(reason).toContain(code);
    expect(reason).not.toContain("Is the computer");
    expect(mayHave).toBe(maybeDelivered);
  });

  test.each([["a text"], [undefined], [new Error("https://host/?key=secret")]])(
    "with %p, which is no error of the system: says no more than its kind",
    (thrown) => {
      expect(explainFailure(thrown).reason).toMatch(/^(unknown error|Error)\.$/);
    },
  );

  test("has lost its connection only if there was one", () => {
    expect(
      ["ECONNRESET", "EPIPE", "ECONNREFUSED", "ENOTFOUND"].map((code) => isConnectionLost(failed(code))),
    ).toEqual([true, true, false, false]);
  });
});
