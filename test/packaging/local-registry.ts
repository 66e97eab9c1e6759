// An npm registry on this machine that has the packages that it is given, and no others.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

export class LocalRegistry implements Disposable {
  readonly #packages = new Map<string, { manifest: Record<string, unknown>; tarball: string }>();
  readonly #server: Bun.Server<undefined>;

  constructor() {
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  get url(): string {
    return this.#server.url.href;
  }

  /** A package folder, and what `npm pack` made of it. */
  add(folder: string, tarball: string): void {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    this.#packages.set(manifest.name, { manifest, tarball });
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }

  #answer(request: Request): Response {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const wanted = [...this.#packages.values()].find(
      ({ tarball }) => name === `tarballs/${basename(tarball)}`,
    );
    if (wanted !== undefined) return new Response(Bun.file(wanted.tarball));
    const found = this.#packages.get(name);
    if (found === undefined) return Response.json({ error: "not found" }, { status: 404 });
    const { manifest, tarball } = found;
    const version = String(manifest.version);
    const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
    const dist = { tarball: `${this.url}tarballs/${basename(tarball)}`, integrity };
    return Response.json({
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    });
  }
}
