// Who may talk to the gateway: no page of another site, no name that is not the gateway's, nobody without the token.

import { describe, expect, test } from "bun:test";
import { Guard, type GuardSettings } from "../../src/edge/guard.ts";

const TOKEN = "secret-1-of-the-test";
const KEY = Buffer.alloc(32, 7);
const PUBLIC = "https://mcp.example.com/gw";

const BINDS = {
  loopback: { host: "127.0.0.1" },
  loopback6: { host: "::1" },
  "loopback, token": { host: "127.0.0.1", token: TOKEN },
  "network, token": { host: "0.0.0.0", token: TOKEN },
  "network, disabled": { host: "0.0.0.0", disabled: true },
} as const;
type Bind = keyof typeof BINDS;

type Overrides = Partial<Pick<GuardSettings, "allowedHosts" | "allowedOrigins" | "publicUrl">>;

function guard(bind: Bind, more: Overrides = {}): Guard {
  const { host, token, disabled = false }: { host: string; token?: string; disabled?: boolean } = BINDS[bind];
  const auth = token === undefined ? { disabled } : { disabled, token };
  return new Guard({ host, auth, allowedHosts: [], allowedOrigins: [], ...more }, KEY, "Workshop");
}

function status(of: Guard, headers: Record<string, string>, access: "open" | "credentials" = "credentials") {
  return of.refuse(new Headers(headers), access)?.status ?? 200;
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe("a Host", () => {
  const own = [
    "localhost",
    "localhost:39400",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:39400",
    "LOCALHOST:5",
    "localhost.",
  ];
  const machine = ["workshop", "WORKSHOP:39400", "workshop.local", "workshop.local.:1"];
  const foreign = [
    "evil.example",
    "evil.example:39400",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "workshop.evil.example",
    "localhosts",
  ];
  const addresses = ["192.168.1.7:39400", "10.0.0.1", "[fe80::1]:39400"];
  const none = [
    "127.0.0.1@evil.example",
    "localhost:",
    "localhost:x",
    "::1",
    "localhost, evil.example",
    "a/b",
    "a b",
    "x\\y",
  ];

  test.each<[Bind, readonly string[], readonly string[]]>([
    ["loopback", [...own, ...machine], [...foreign, ...addresses, "0.0.0.0", "127.0.0.2", ""]],
    ["loopback6", [...own, ...machine], [...foreign, ...addresses]],
    ["network, disabled", [...own, ...machine, ...addresses, "0.0.0.0:39400"], foreign],
  ])("without credentials is one of this machine's names: %s", (bind, good, bad) => {
    const asked = guard(bind);
    for (const host of good) expect(status(asked, { host }), host).toBe(200);
    for (const host of [...bad, ...none]) expect(status(asked, { host }), host).toBe(403);
  });

  test.each<Bind>(["loopback, token", "network, token"])("is of no matter with the token: %s", (bind) => {
    const asked = guard(bind);
    for (const host of [...own, ...foreign, ...addresses, "mcp.example.com", "host.docker.internal:39400"]) {
      expect(status(asked, { host, ...bearer }), host).toBe(200);
      expect(status(asked, { host }), host).toBe(401);
    }
    for (const host of none) expect(status(asked, { host, ...bearer }), host).toBe(403);
  });

  test("of an open route is the machine's own on loopback, as pages must not read it", () => {
    expect(status(guard("loopback, token"), { host: "evil.example" }, "open")).toBe(403);
    expect(status(guard("loopback, token"), { host: "localhost" }, "open")).toBe(200);
    // A load balancer asks by whatever name.
    expect(status(guard("network, token"), { host: "lb.example" }, "open")).toBe(200);
  });

  test.each<Bind>(["loopback", "network, disabled"])("may be one that is configured: %s", (bind) => {
    const proxied = guard(bind, { allowedHosts: ["Box.tailnet.ts.net", "fd00::5"], publicUrl: PUBLIC });
    for (const host of [
      "box.tailnet.ts.net",
      "BOX.tailnet.ts.net:443",
      "[fd00::5]:1",
      "mcp.example.com",
      "mcp.example.com:8443",
    ])
      expect(status(proxied, { host }), host).toBe(200);
    for (const host of [
      "tailnet.ts.net",
      "x.box.tailnet.ts.net",
      "example.com",
      "mcp.example.com.evil.example",
    ])
      expect(status(proxied, { host }), host).toBe(403);
  });

  test("is sent by every browser, so none at all is an attack on nobody, beyond loopback", () => {
    expect([status(guard("loopback"), {}), status(guard("network, disabled"), {})]).toEqual([403, 200]);
  });
});

describe("an Origin", () => {
  const local = [
    "http://localhost",
    "http://localhost:5173",
    "https://127.0.0.1:8443",
    "http://[::1]:3000",
    "HTTP://LOCALHOST:1",
  ];
  const foreign = [
    "null",
    "",
    "http://evil.example",
    "https://localhost.evil.example",
    "http://localhost@evil.example",
    "http://127.0.0.1.nip.io",
    "file://localhost",
    "chrome-extension://localhost",
    "vscode-webview://0abc",
    "app://obsidian.md",
    "javascript:alert(1)",
    "localhost",
    "http://localhost, http://evil.example",
    "http://localhost/path",
  ];

  test.each(Object.keys(BINDS) as Bind[])("is of this machine: %s", (bind) => {
    const asked = guard(bind);
    for (const origin of local)
      expect(status(asked, { host: "localhost", origin, ...bearer }), origin).toBe(200);
    for (const origin of foreign)
      expect(status(asked, { host: "localhost", origin, ...bearer }), origin).toBe(403);
  });

  test("may be that of the gateway itself, under a name that is known or with the token", () => {
    const host = "mcp.example.com";
    const from = (of: Guard, origin: string, more = {}) => status(of, { host, origin, ...more });
    expect(from(guard("network, token"), `https://${host}`, bearer)).toBe(200);
    expect(from(guard("loopback, token"), `https://${host}`, bearer)).toBe(200);
    expect(from(guard("network, token"), "https://other.example.com", bearer)).toBe(403);
    expect(from(guard("network, token"), `https://${host}:8443`, bearer)).toBe(403);
    expect(from(guard("network, disabled", { allowedHosts: [host] }), `https://${host}`)).toBe(200);
    // DNS rebinding: Host and Origin agree, and nothing speaks for either.
    for (const bind of ["loopback", "network, disabled"] as const)
      expect(from(guard(bind), `https://${host}`), bind).toBe(403);
    for (const bind of ["loopback, token", "network, token"] as const)
      expect(from(guard(bind), `https://${host}`), bind).toBe(403);
  });

  test("may be one that is configured", () => {
    const allowedOrigins = [
      "https://App.example.com",
      "http://app.example.com:8080",
      "vscode-webview://*",
      "app://obsidian.md",
      "null",
    ];
    const asked = guard("loopback", { allowedOrigins, publicUrl: PUBLIC });
    const from = (origin: string) => status(asked, { host: "localhost", origin });
    for (const origin of [
      ...allowedOrigins.filter((o) => !o.includes("*")),
      "vscode-webview://1a2b3c",
      "https://mcp.example.com",
    ])
      expect(from(origin), origin).toBe(200);
    for (const origin of [
      "https://app.example.com:8080",
      "http://app.example.com",
      "https://example.com",
      "app://other",
      "vscode-webview://",
      "file://",
      "vscode-webviews://x",
    ])
      expect(from(origin), origin).toBe(403);
  });
});

describe("a GET without an Origin, as browsers send it for images, scripts and links", () => {
  test.each([
    ["cross-site", "localhost", 403],
    ["same-site", "localhost", 200],
    ["same-origin", "localhost", 200],
    ["none", "localhost", 200],
    ["same-site", "mcp.example.com", 403],
    ["same-origin", "mcp.example.com", 200],
  ])("of %s to %s: %p", (site, host, expected) => {
    const asked = guard("loopback", { publicUrl: PUBLIC });
    expect(status(asked, { host })).toBe(200);
    expect(status(asked, { host, "sec-fetch-site": site })).toBe(expected);
    expect(status(asked, { host, "sec-fetch-site": site, origin: "http://localhost:1" })).toBe(200);
  });

  test("may not read what is open either", () => {
    expect(status(guard("network, token"), { host: "a", "sec-fetch-site": "cross-site" }, "open")).toBe(403);
  });
});

describe("the token", () => {
  const asks = guard("loopback, token");

  test("is not asked for where there is none", () => {
    const open = guard("loopback");
    expect([open.wantsToken, status(open, { host: "localhost" }), open.hasToken(new Headers())]).toEqual([
      false,
      200,
      true,
    ]);
  });

  test("comes as a bearer token, in any case of the scheme", () => {
    for (const authorization of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER \t${TOKEN} `])
      expect(asks.hasToken(new Headers({ authorization })), authorization).toBe(true);
  });

  test.each([
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN}\u00a0`,
  ])("is not %p", (authorization) => {
    expect(asks.hasToken(new Headers({ authorization }))).toBe(false);
    expect(status(asks, { host: "localhost", authorization })).toBe(401);
  });

  test("is what sessions are bound to, without being told", () => {
    const { principal } = asks;
    expect(principal).not.toContain("secret");
    expect(principal).toBe(guard("network, token").principal);
    expect(guard("loopback").principal).toBe("local");
    const settings = { host: "127.0.0.1", allowedHosts: [], allowedOrigins: [] };
    const other = new Guard({ ...settings, auth: { disabled: false, token: `${TOKEN}x` } }, KEY);
    expect(other.principal).not.toBe(principal);
  });

  test("cannot be found by trying: the same token has another principal under another key", () => {
    const auth = { disabled: false, token: TOKEN };
    const settings = { host: "127.0.0.1", allowedHosts: [], allowedOrigins: [], auth };
    expect(new Guard(settings, Buffer.alloc(32, 8)).principal).not.toBe(asks.principal);
    const plain = new Bun.CryptoHasher("sha256").update(TOKEN).digest("base64url");
    expect(plain).not.toStartWith(asks.principal);
  });
});
