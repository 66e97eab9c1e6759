// A gateway in the test's own process, with its state in a folder that goes away with it, and what it logs.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway.ts";
import { type LogLine, recordLog } from "../support/log-recorder.ts";
import { SdkClient } from "../support/sdk-client.ts";

export class TestGateway implements AsyncDisposable {
  readonly url: string;
  /** What a person would have read. */
  readonly lines: readonly LogLine[];
  readonly #owned: AsyncDisposableStack;

  private constructor(url: string, lines: readonly LogLine[], owned: AsyncDisposableStack) {
    this.url = url;
    this.lines = lines;
    this.#owned = owned;
  }

  /** With a `folder`, state and catalogues outlive it there. */
  static async start(config: ConfigInput, folder?: string): Promise<TestGateway> {
    await using owned = new AsyncDisposableStack();
    const stateFolder = folder ?? mkdtempSync(join(tmpdir(), "mcp-gateway-target-"));
    if (folder === undefined) owned.defer(() => rmSync(stateFolder, { recursive: true }));
    const { log, lines } = recordLog();
    const gateway = owned.use(
      await Gateway.start({ port: 0, ...config }, { log, stateFolder, cacheFolder: stateFolder }),
    );
    return new TestGateway(gateway.url, lines, owned.move());
  }

  /** A client of `/mcp`, or of one backend. */
  connect(backend?: string): Promise<SdkClient> {
    return SdkClient.connect(`${this.url}/mcp${backend === undefined ? "" : `/${backend}`}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}
