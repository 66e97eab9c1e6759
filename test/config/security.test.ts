// Who may connect without a token: nobody from beyond this machine, unless the file says so.

import { describe, expect, test } from "bun:test";
import { isLoopback } from "../../src/config/addresses.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { checkBind } from "../../src/config/security.ts";

describe("loopback", () => {
  test.each([
    ["127.0.0.1", true],
    ["127.8.9.10", true],
    ["::1", true],
    ["[::1]", true],
    ["0:0:0:0:0:0:0:1", true],
    ["::ffff:127.0.0.1", true],
    ["localhost", true],
    ["LocalHost.", true],
    ["app.localhost", true],
    ["0.0.0.0", false],
    ["::", false],
    ["[::]", false],
    ["128.0.0.1", false],
    ["192.168.1.2", false],
    ["::ffff:10.0.0.1", false],
    ["fe80::1", false],
    ["example.org", false],
    ["localhost.example.org", false],
    ["notlocalhost", false],
    ["127.0.0.1.example.org", false],
    ["", false],
  ])("%p: %p", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

describe("listening beyond this machine", () => {
  test("without a token is refused, with what to do", () => {
    const problem = checkBind({ host: "0.0.0.0", auth: { disabled: false }, path: "/etc/servers.yaml" });
    expect(problem && formatProblem(problem)).toBe(
      "/etc/servers.yaml: the host 0.0.0.0 lets other machines connect, and no token is set; set auth.token or the " +
        "environment variable MCP_GATEWAY_TOKEN, listen on 127.0.0.1, or write auth.disabled: true to let everyone in",
    );
  });

  test.each([
    [{ host: "127.0.0.1", auth: { disabled: false } }],
    [{ host: "0.0.0.0", auth: { disabled: false, token: "t" } }],
    [{ host: "::", auth: { disabled: true } }],
  ])("is allowed: %p", (config) => {
    expect(checkBind(config)).toBeUndefined();
  });
});
