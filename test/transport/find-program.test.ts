import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { candidates, findProgram } from "../../src/transport/find-program.ts";
import { StartError } from "../../src/transport/transport.ts";

let root = "";

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "find-program-"));
  for (const directory of ["first", "second", "cwd/tools", "first/server"]) {
    await mkdir(join(root, directory), { recursive: true });
  }
  for (const file of ["second/server", "second/plain", "cwd/tools/run", "cwd/here"]) {
    await Bun.write(join(root, file), "#!/bin/sh\n");
    if (file !== "second/plain") await chmod(join(root, file), 0o755);
  }
  await symlink(join(root, "second/server"), join(root, "second/link"));
});

afterAll(() => rm(root, { recursive: true }));

const where = (path?: string) => ({
  cwd: join(root, "cwd"),
  env: path === undefined ? {} : { PATH: path },
});

async function failure(name: string, path?: string): Promise<StartError> {
  const thrown: unknown = await findProgram(name, where(path)).catch((error: unknown) => error);
  if (!(thrown instanceof StartError)) throw new Error(`no StartError but ${String(thrown)}`);
  expect(thrown.end).toEqual({ reason: thrown.message, permanent: true });
  return thrown;
}

describe("a program", () => {
  test("is searched on the child's PATH, past a directory of its name", async () => {
    const path = [join(root, "missing"), join(root, "first"), join(root, "second")].join(":");
    expect(await findProgram("server", where(path))).toBe(join(root, "second/server"));
    expect(await findProgram("link", where(path))).toBe(join(root, "second/link"));
  });

  test("with a slash is a file from cwd, whatever the PATH", async () => {
    expect(await findProgram("tools/run", where(""))).toBe(join(root, "cwd/tools/run"));
    expect(await findProgram("./here", where("/bin"))).toBe(join(root, "cwd/here"));
    expect(await findProgram(join(root, "second/server"), where(""))).toBe(join(root, "second/server"));
  });

  test("is found by an empty or relative PATH entry from cwd, as POSIX says", async () => {
    expect(await findProgram("here", where(""))).toBe(join(root, "cwd/here"));
    expect(await findProgram("run", where("/nowhere:tools"))).toBe(join(root, "cwd/tools/run"));
  });

  test("is found where there is no PATH at all", async () => {
    expect(await findProgram("sh", where())).toEndWith("/bin/sh");
  });
});

describe("the error", () => {
  test("lists the PATH that was searched and what to do", async () => {
    const { message } = await failure("no-such-server", "/opt/one:/opt/two");
    expect(message).toContain("cannot start no-such-server");
    expect(message).toContain("/opt/one:/opt/two");
    expect(message).toMatch(/Install it.*`command`.*`env`/);
  });

  test("names the file that a path means", async () => {
    expect((await failure("./absent", "/bin")).message).toContain(join(root, "cwd/absent"));
  });

  test("says that no shell expands a tilde", async () => {
    expect((await failure("~/bin/server", "/bin")).message).toContain("$HOME");
  });

  test("says so when the file is there but not executable", async () => {
    const { message } = await failure("plain", join(root, "second"));
    expect(message).toContain(join(root, "second/plain"));
    expect(message).toContain("chmod +x");
  });
});

describe("on Windows", () => {
  const env = { Path: "C:\\node;;D:\\bin", PATHEXT: ".EXE;.CMD" };
  const windows = { cwd: "C:\\work", env, platform: "win32" } as const;

  test("only known extensions run, in the order of PATHEXT", () => {
    expect(candidates("npx", windows)).toEqual([
      "C:\\node\\npx.exe",
      "C:\\node\\npx.cmd",
      "D:\\bin\\npx.exe",
      "D:\\bin\\npx.cmd",
    ]);
    expect(candidates("npx.cmd", windows)).toEqual(["C:\\node\\npx.cmd", "D:\\bin\\npx.cmd"]);
  });

  test("a path is taken from cwd with either slash", () => {
    expect(candidates(".\\tools\\run.exe", windows)).toEqual(["C:\\work\\tools\\run.exe"]);
    expect(candidates("tools/run", windows)).toEqual([
      "C:\\work\\tools\\run.exe",
      "C:\\work\\tools\\run.cmd",
    ]);
    expect(candidates("D:\\x\\run.exe", windows)).toEqual(["D:\\x\\run.exe"]);
  });
});
