// The compiled gateway with a healthy backend and hostile ones of every kind, and what can be seen of it from outside.

import { readdirSync, readFileSync } from "node:fs";
import { referenceCommand } from "../fixtures/reference/start.ts";
import { fixturePath } from "../support/fixture.ts";
import { GatewayRun } from "../support/run-gateway.ts";
import { UrlServer } from "../support/url-server.ts";
import { BACKEND } from "./client-messages.ts";

/** Each named as its URL's path or its flags say. */
export const HOSTILE_URLS = ["legacy", "modern", "stream"] as const;
export const HOSTILE_PROGRAMS = ["quiet", "exits", "new"] as const;
/** Stdio, and asking questions: what is called there waits for its turn, so there are several. */
export const ASKING = Array.from({ length: 8 }, (_, index) => `asks-${index + 1}`);
export const HOSTILE = [...HOSTILE_URLS, ...HOSTILE_PROGRAMS];
/** Whose handshake and lists are hostile as well. */
export const STARTS = ["starts-1", "starts-2", "starts-3", "starts-4"] as const;

const FLAGS: Readonly<Record<string, string>> = { exits: "--exits", new: "--modern" };
const KEYS = { request_timeout: "1s", question_timeout: "1s", start_timeout: "10s" };

export class Arena implements AsyncDisposable {
  readonly gateway: GatewayRun;
  readonly #server: UrlServer;

  private constructor(gateway: GatewayRun, server: UrlServer) {
    this.gateway = gateway;
    this.#server = server;
  }

  static async start(): Promise<Arena> {
    const server = await UrlServer.start([process.execPath, fixturePath("hostile/http")]);
    const gateway = await GatewayRun.start({
      args: ["--log-level", "ERROR"],
      config: { backends: backends(server.origin) },
    });
    return new Arena(gateway, server);
  }

  /** Decides what a backend of STARTS does from now on. */
  async seedStart(name: string, seed: number): Promise<void> {
    const response = await fetch(`${this.#server.origin}/seed/${name}?n=${seed}`, { method: "POST" });
    await response.text();
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  get isAlive(): boolean {
    return this.gateway.run.isRunning;
  }

  /** Where a backend's own route is. */
  route(backend: string): string {
    return `${this.gateway.url}/mcp/${backend}`;
  }

  /** The lines of the log that speak of a bug, or of worse. */
  get bugs(): string[] {
    return this.gateway.stderr
      .split("\n")
      .filter((line) => /\bbug\b|unhandled|panic|Segmentation/i.test(line));
  }

  get rssMb(): number {
    const status = readFileSync(`/proc/${this.gateway.run.pid}/status`, "utf8");
    return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1024);
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.gateway.run.pid}/fd`).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.gateway[Symbol.asyncDispose]();
    } finally {
      await this.#server[Symbol.asyncDispose]();
    }
  }
}

function backends(origin: string): Record<string, object> {
  const [program, ...args] = referenceCommand("both");
  const hostile = [process.execPath, fixturePath("hostile/stdio")];
  const programs = [...HOSTILE_PROGRAMS, ...ASKING].map((name) => {
    const flag = name.startsWith("asks") ? "--asks" : FLAGS[name];
    const flags = flag === undefined ? [] : [flag];
    return [name, { command: hostile[0], args: [...hostile.slice(1), ...flags], ...KEYS }] as const;
  });
  const urls = HOSTILE_URLS.map((name) => {
    const transport = name === "stream" ? { transport: "sse" } : {};
    return [name, { http_url: `${origin}/${name}`, ...transport, ...KEYS }] as const;
  });
  const starts = STARTS.map((name) => {
    return [name, { http_url: `${origin}/${name}`, ...KEYS, start_timeout: "1s" }] as const;
  });
  return {
    [BACKEND]: { command: program, args, request_timeout: "2s", question_timeout: "300ms" },
    ...Object.fromEntries([...programs, ...urls, ...starts]),
  };
}
