// Who may talk to the gateway: no page of another origin, no name that is not ours, nobody without the token.

import { describe, expect, test } from "bun:test";
import { Guard } from "../../src/edge/guard.ts";

const TOKEN = "correct horse";

function guard(host: string, token?: string): Guard {
  return new Guard(host, token === undefined ? { disabled: false } : { token, disabled: false });
}

function status(of: Guard, headers: Record<string, string>): number | undefined {
  return of.checkOrigin(new Headers(headers))?.status;
}

describe("on a loopback address", () => {
  const local = guard("127.0.0.1");

  test.each([
    "localhost",
    "localhost:39400",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:39400",
    "LOCALHOST:5",
  ])("takes the Host %s", (host) => {
    expect(status(local, { host })).toBeUndefined();
  });

  test.each([
    "example.com",
    "example.com:39400",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "127.0.0.1@example.com",
    "localhost:",
    "localhost:x",
    "::1",
    "0.0.0.0",
    "127.0.0.2",
    "localhost, example.com",
    "",
  ])("refuses the Host %p", (host) => {
    expect(status(local, { host })).toBe(403);
  });

  test("refuses a request without a Host", () => {
    expect(status(local, {})).toBe(403);
  });

  test.each(["http://localhost", "http://localhost:5173", "https://127.0.0.1:8443", "http://[::1]:3000"])(
    "takes the Origin %s",
    (origin) => {
      expect(status(local, { host: "localhost", origin })).toBeUndefined();
    },
  );

  test.each([
    "null",
    "",
    "http://example.com",
    "https://localhost.example.com",
    "http://localhost@example.com",
    "http://127.0.0.1.nip.io",
    "file://localhost",
    "chrome-extension://localhost",
    "javascript:alert(1)",
    "localhost",
    "http://localhost, http://example.com",
  ])("refuses the Origin %p", (origin) => {
    expect(status(local, { host: "localhost", origin })).toBe(403);
  });
});

describe("on an address of the network", () => {
  const open = guard("0.0.0.0", TOKEN);

  test("takes any Host: it has names that it does not know", () => {
    expect(status(open, { host: "gateway.example.com:39400" })).toBeUndefined();
  });

  test("takes the Origin of that Host and of this machine, no other", () => {
    const host = "gateway.example.com:39400";
    const from = (origin: string) => status(open, { host, origin });
    expect(from("https://gateway.example.com:39400")).toBeUndefined();
    expect(from("http://localhost:3000")).toBeUndefined();
    expect(from("https://gateway.example.com")).toBe(403);
    expect(from("https://example.com")).toBe(403);
    expect(from("null")).toBe(403);
  });
});

test("a bind to one name knows itself by it", () => {
  const named = guard("::1");
  expect(status(named, { host: "[::1]:5" })).toBeUndefined();
  expect(
    status(guard("gateway.internal", TOKEN), { host: "x", origin: "http://gateway.internal" }),
  ).toBeUndefined();
});

describe("the token", () => {
  const asks = guard("127.0.0.1", TOKEN);
  const has = (authorization: string) => asks.hasToken(new Headers({ authorization }));

  test("is not asked for where there is none", () => {
    const open = guard("127.0.0.1");
    expect([open.wantsToken, open.checkToken(new Headers()), open.hasToken(new Headers())]).toEqual([
      false,
      undefined,
      true,
    ]);
  });

  test("comes as a bearer token, in any case of the scheme", () => {
    const spaceless = guard("127.0.0.1", "secret-1");
    for (const authorization of ["Bearer secret-1", "bearer secret-1", "BEARER  secret-1 "])
      expect(spaceless.hasToken(new Headers({ authorization })), authorization).toBe(true);
  });

  test.each([
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic secret-1",
    "secret-1",
    "Bearer secret-1x",
    "Bearer secret-",
  ])("is not %p", (authorization) => {
    const spaceless = guard("127.0.0.1", "secret-1");
    const headers = new Headers({ authorization });
    expect(spaceless.hasToken(headers)).toBe(false);
    expect(spaceless.checkToken(headers)?.status).toBe(401);
  });

  test("that has a space in it cannot be presented, so it opens nothing by half", () => {
    expect(has(`Bearer ${TOKEN}`)).toBe(false);
    expect(has("Bearer correct")).toBe(false);
  });

  test("is what sessions are bound to, without being told", () => {
    const one = guard("127.0.0.1", "secret-1").principalOf();
    expect(one).not.toContain("secret");
    expect(one).toBe(guard("0.0.0.0", "secret-1").principalOf());
    expect(one).not.toBe(guard("127.0.0.1", "secret-2").principalOf());
    expect(guard("127.0.0.1").principalOf()).toBe("local");
  });
});
