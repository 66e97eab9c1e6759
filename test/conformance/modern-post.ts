// One modern request by hand: nothing that an SDK adds, drops or checks.

const META = "io.modelcontextprotocol/";

export const ENVELOPE = {
  [`${META}protocolVersion`]: "2026-07-28",
  [`${META}clientCapabilities`]: {},
  [`${META}clientInfo`]: { name: "by-hand", version: "1.0.0" },
};

export interface HandParams {
  readonly name?: string;
  readonly arguments?: object;
}

/** The response as it came, parsed. */
export async function postModern(
  url: string,
  method: string,
  params: HandParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": method,
      ...(params.name !== undefined && { "Mcp-Name": params.name }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: "by-hand", method, params: { ...params, _meta: ENVELOPE } }),
  });
  return response.json();
}
