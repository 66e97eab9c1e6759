// The images, without an engine: their Dockerfiles are read, what they copy is laid out by the script that they run, and
// the result runs under chroot as an engine would run it: read-only, as a user without rights.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findBinary } from "../support/binary.ts";
import { fixture } from "../support/fixture.ts";
import { descendants } from "../support/process-table.ts";
import { findFreePort, GatewayRun } from "../support/run-gateway.ts";
import { SdkClient } from "../support/sdk-client.ts";
import { waitFor } from "../support/wait-for.ts";

const root = join(import.meta.dir, "../..");
const docker = join(root, "scripts/packaging/docker");
const KINDS = ["Dockerfile", "Dockerfile.runtimes"] as const;

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of the last stage, and of all. */
function readDockerfile(name: string): { all: Instruction[]; last: Instruction[] } {
  const text = readFileSync(join(docker, name), "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "");
  const all = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ name: line.split(" ", 1)[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
  const start = all.findLastIndex((instruction) => instruction.name === "FROM");
  return { all, last: all.slice(start) };
}

function only(instructions: readonly Instruction[], name: string): string {
  const found = instructions.filter((instruction) => instruction.name === name);
  if (found.length !== 1) throw new Error(`${found.length} × ${name}`);
  return found[0]?.rest ?? "";
}

const words = (json: string): string[] => JSON.parse(json);

/** How a container of the image runs. */
function readImage(name: string) {
  const { last } = readDockerfile(name);
  return {
    from: only(last, "FROM"),
    user: only(last, "USER"),
    volume: only(last, "VOLUME"),
    entrypoint: words(only(last, "ENTRYPOINT")),
    args: words(only(last, "CMD")),
    probe: words(only(last, "HEALTHCHECK").replace(/^.*? CMD /, "")),
    env: Object.fromEntries(
      only(last, "ENV")
        .split(" ")
        .map((pair) => pair.split("=")),
    ),
  };
}

describe.each(KINDS)("%s", (name) => {
  test("runs the gateway as users were promised, without root", () => {
    const image = readImage(name);
    expect(image).toMatchObject({
      user: "65532:65532",
      volume: "/var/lib/mcp-gateway",
      entrypoint: ["/usr/local/bin/mcp-gateway"],
      args: ["--config", "/etc/mcp-gateway/servers.yaml", "--host", "0.0.0.0"],
      env: { HOME: "/var/lib/mcp-gateway" },
    });
    expect(image.probe).toEqual([...image.entrypoint, "health", "--config", "/etc/mcp-gateway/servers.yaml"]);
    expect(only(readDockerfile(name).last, "EXPOSE")).toBe("39400");
  });

  test("copies from the repository only what its .dockerignore shows", () => {
    const shown = readFileSync(join(docker, `${name}.dockerignore`), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = readDockerfile(name)
      .all.filter((instruction) => instruction.name === "COPY" && !instruction.rest.startsWith("--from="))
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    expect(copied.toSorted()).toEqual(shown.toSorted());
    expect(shown).toContain("scripts/packaging/docker/rootfs");
    expect(existsSync(join(docker, "rootfs"))).toBe(true);
  });

  test("lays out what the tests lay out", () => {
    const kind = name === "Dockerfile" ? "scratch" : "runtimes";
    const runs = readDockerfile(name).all.filter(({ name }) => name === "RUN");
    expect(runs.map(({ rest }) => rest)).toContain(`/rootfs ${kind} /dist /image`);
    const copies = readDockerfile(name).last.filter((instruction) => instruction.name === "COPY");
    expect(copies.map(({ rest }) => rest)).toContain("--from=files /image/ /");
  });
});

const isLinux = process.platform === "linux" && !readFileSync("/proc/self/maps", "utf8").includes("/ld-musl");

if (!isLinux || process.getuid?.() !== 0) {
  test("what runs in the images", () => {
    console.warn("NOT CHECKED HERE: the images' file systems (chroot needs root, on a Linux with glibc)");
    expect(readImage("Dockerfile").from).toBe("scratch");
  });
} else {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "image-"));
    await layOut("scratch");
    await layOut("runtimes");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function layOut(kind: string): Promise<void> {
    const dist = dirname(await findBinary());
    const run = Bun.spawn([join(docker, "rootfs"), kind, dist, join(folder, kind)], { stderr: "pipe" });
    expect([await run.stderr.text(), await run.exited]).toEqual(["", 0]);
  }

  /** Every file, and every folder that has none below it. */
  function filesIn(kind: string): string[] {
    const path = join(folder, kind);
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter(
        (name) => !lstatSync(join(path, name)).isDirectory() || readdirSync(join(path, name)).length === 0,
      )
      .map((name) => `/${name}`)
      .toSorted();
  }

  test("the scratch image holds what it needs, and nothing else", () => {
    const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
    const loader = process.arch === "arm64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2";
    const libraries = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];
    expect(filesIn("scratch")).toEqual(
      [
        "/etc/group",
        "/etc/mcp-gateway",
        "/etc/nsswitch.conf",
        "/etc/passwd",
        "/etc/ssl/certs/ca-certificates.crt",
        ...libraries.map((library) => `/lib/${triplet}/${library}`),
        loader,
        "/tmp",
        "/usr/local/bin/mcp-gateway",
        "/var/lib/mcp-gateway",
      ].toSorted(),
    );
  });

  test("the binary finds every library that it is linked to in there, and uses every one that is", () => {
    const scratch = join(folder, "scratch");
    const loader = globSync("lib*/ld-linux-*", { cwd: scratch })[0] ?? "";
    const command = ["chroot", scratch, `/${loader}`, "--list", "/usr/local/bin/mcp-gateway"];
    const { stdout, exitCode } = Bun.spawnSync(command);
    expect(exitCode).toBe(0);
    const found = stdout.toString().match(/\/lib\S+/g) ?? [];
    expect([...new Set(found)].toSorted()).toEqual(
      filesIn("scratch").filter((name) => name.startsWith("/lib")),
    );
  });

  test("the image with runtimes gets the gateway and its folders", () => {
    expect(filesIn("runtimes")).toEqual([
      "/etc/mcp-gateway",
      "/usr/local/bin/mcp-gateway",
      "/var/lib/mcp-gateway",
    ]);
    const { uid, gid } = lstatSync(join(folder, "runtimes/var/lib/mcp-gateway"));
    expect([uid, gid]).toEqual([65532, 65532]);
  });

  describe("a container of the scratch image", () => {
    const image = readImage("Dockerfile");
    const stack = new AsyncDisposableStack();
    let backend: GatewayRun;

    beforeAll(async () => {
      for (const mountPoint of ["proc", "dev"]) mkdirSync(join(folder, "scratch", mountPoint));
      const [command, ...args] = fixture("runs-demo");
      backend = stack.use(await GatewayRun.start({ config: { backends: { demo: { command, args } } } }));
    });
    afterAll(() => stack.disposeAsync());

    function run(args: readonly string[], volume: string) {
      const child = Bun.spawn(
        [join(import.meta.dir, "enter"), join(folder, "scratch"), image.user, volume, ...args],
        {
          // The PATH is for the script.
          env: { ...image.env, PATH: process.env.PATH },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      const output = Promise.all([child.stdout.text(), child.stderr.text()]);
      stack.defer(async () => {
        child.kill("SIGKILL");
        await child.exited;
      });
      return { child, output };
    }

    async function runToEnd(args: readonly string[]) {
      const { child, output } = run(args, image.volume);
      const exitCode = await child.exited;
      const [stdout, stderr] = await output;
      return { exitCode, stdout, stderr };
    }

    test.each([
      ["with its volume", image.volume],
      ["without any place to write", ""],
    ])("%s serves a URL backend, and its probe sees it", async (_, volume) => {
      const port = findFreePort();
      const config = {
        port,
        auth: { token: "container-token-1" },
        backends: { demo: { http_url: `${backend.url}/mcp/demo` } },
      };
      writeFileSync(join(folder, "scratch/etc/mcp-gateway/servers.yaml"), JSON.stringify(config));
      expect(await runToEnd(image.probe)).toMatchObject({ exitCode: 1, stdout: "" });

      const { child, output } = run([...image.entrypoint, ...image.args], volume);
      const url = `http://127.0.0.1:${port}`;
      await waitFor(() => child.exitCode !== null || isUp(url), { what: "/health" });
      {
        await using client = await SdkClient.connect(`${url}/mcp/demo`, {
          authorization: "Bearer container-token-1",
        });
        expect(await client.text("query_json", { json: '{"a": [7]}', pointer: "/a/0" })).toBe("7");
      }
      const probe = await runToEnd(image.probe);
      expect(probe.stdout).toMatch(/is healthy\n {2}backend .*\n {2}demo +ready +http +\d+\n$/);
      expect(probe.exitCode).toBe(0);

      // The engine signals the program itself, the first process of its container.
      const inside = descendants(child.pid).find(({ command }) => command.startsWith("/usr/local/bin/"));
      if (inside === undefined) throw new Error("the container's program is not to be found");
      process.kill(inside.pid, "SIGTERM");
      expect(await child.exited).toBe(0);
      const [, stderr] = await output;
      expect(stderr.includes("the session key cannot be kept")).toBe(volume === "");
    });

    test("refuses to serve strangers: without a token it says what to do", async () => {
      writeFileSync(join(folder, "scratch/etc/mcp-gateway/servers.yaml"), "backends: {}\n");
      const { exitCode, stderr } = await runToEnd([...image.entrypoint, ...image.args]);
      expect(stderr).toContain("MCP_GATEWAY_TOKEN");
      expect(exitCode).toBe(2);
    });
  });
}

async function isUp(url: string): Promise<boolean> {
  return await fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}
