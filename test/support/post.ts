// Messages to the gateway as bytes on a socket, for what no client library would send.

/** A POST of one message, without a session. */
export function post(
  url: string,
  message: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify(message),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Opens a session by hand, and returns the headers that later requests carry. */
export async function openSession(
  url: string,
  revision = "2025-11-25",
  capabilities: object = {},
): Promise<Record<string, string>> {
  const params = { protocolVersion: revision, capabilities, clientInfo: { name: "raw", version: "1" } };
  const response = await post(url, { jsonrpc: "2.0", id: 0, method: "initialize", params });
  const id = response.headers.get("mcp-session-id");
  if (id === null) throw new Error(`no session: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
  return { "mcp-session-id": id, "mcp-protocol-version": revision };
}
