// Requests by fetch: the way to all servers that are not on this machine, over TLS and proxies.

import type { HttpClient, HttpRequest } from "./http-client.ts";
import { collectText, type HttpResponse } from "./http-response.ts";

const IDLE_SOCKET_SECONDS = 30;

export class FetchClient implements HttpClient {
  // A pool of its own: sockets are reused by this backend alone, and closed with it.
  readonly #pool: Bun.FetchSession;

  /** Without `mayUseProxy` the proxies that the environment names are passed by. */
  constructor({ mayUseProxy }: { readonly mayUseProxy: boolean }) {
    this.#pool = new Bun.FetchSession({
      keepAlive: { idleTimeout: IDLE_SOCKET_SECONDS },
      proxy: mayUseProxy ? undefined : false,
    });
  }

  async send({ href }: URL, { method, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
    // `timeout: false` lifts Bun's own limit on silence (5 min), which would cut long calls and quiet streams.
    const options = { method, headers, signal, redirect: "manual", timeout: false } as const;
    return new FetchedResponse(
      await this.#pool.fetch(href, body === undefined ? options : { ...options, body }),
    );
  }

  close(): void {
    this.#pool.close();
  }
}

class FetchedResponse implements HttpResponse {
  readonly #response: Response;
  #reader: { cancel(): Promise<void> } | undefined;

  constructor(response: Response) {
    this.#response = response;
  }

  get status(): number {
    return this.#response.status;
  }

  get statusText(): string {
    return this.#response.statusText;
  }

  header(name: string): string | undefined {
    return this.#response.headers.get(name) ?? undefined;
  }

  text(maxLength: number): Promise<string> {
    const declared = Number(this.header("content-length") ?? Number.NaN);
    const isPlain = this.header("content-encoding") === undefined;
    if (isPlain && declared <= maxLength) return this.#response.text();
    return collectText(this, maxLength);
  }

  async pieces(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    this.#reader = reader;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        onBytes(value);
      }
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  cancel(): void {
    (this.#reader ?? this.#response.body)?.cancel().catch(() => undefined); // It broke off: gone as well.
  }
}
