// Stands between a client and the gateway, passes everything on, and keeps what the client sent: the witness of what
// was negotiated.

export interface Exchange {
  readonly verb: string;
  readonly path: string;
  /** The method of the JSON-RPC message; absent where there was none. */
  readonly method?: string;
  /** The MCP-Protocol-Version header. */
  readonly revision: string | null;
  readonly status: number;
}

export class RecordingProxy implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  readonly #server: Bun.Server<undefined>;

  private constructor(server: Bun.Server<undefined>) {
    this.#server = server;
  }

  static start(target: string): RecordingProxy {
    const server: Bun.Server<undefined> = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 0,
      fetch: (request) => proxy.#pass(request, target),
    });
    const proxy = new RecordingProxy(server);
    return proxy;
  }

  get url(): string {
    return this.#server.url.origin;
  }

  /** In the order of the first use, each once. */
  get methods(): string[] {
    return [...new Set(this.exchanges.flatMap(({ method }) => method ?? []))];
  }

  /** The revisions named in headers. */
  get revisions(): string[] {
    return [...new Set(this.exchanges.flatMap(({ revision }) => revision ?? []))];
  }

  /** One line for each request, for people. */
  transcript(): string {
    return this.exchanges
      .map(({ verb, path, method, revision, status }) =>
        [verb, path, method ?? "-", revision ?? "(no revision)", status].join(" "),
      )
      .join("\n");
  }

  async #pass(request: Request, target: string): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    const body = request.method === "POST" ? await request.text() : null;
    const response = await fetch(`${target}${pathname}${search}`, {
      method: request.method,
      headers,
      body,
      signal: request.signal,
    });
    const method = body === null ? undefined : methodOf(body);
    this.exchanges.push({
      verb: request.method,
      path: pathname,
      revision: headers.get("mcp-protocol-version"),
      status: response.status,
      ...(method === undefined ? {} : { method }),
    });
    return new Response(response.body, { status: response.status, headers: response.headers });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

function methodOf(body: string): string | undefined {
  const message: unknown = JSON.parse(body);
  return typeof message === "object" && message !== null && "method" in message
    ? String(message.method)
    : undefined;
}
