#!/usr/bin/env bun
// argv → command. Loads only the command that runs: a version or a help text must not wait for a server's code.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { COMMIT, TARGET, VERSION } from "./version.ts";

/** 0: done. 1: failed. 2: wrong usage, or a configuration with mistakes. */
const USAGE = 2;

const CONFIG_HELP = "configuration file (default: ./servers.yaml, then the user's, then /etc/mcp-gateway)";
const HELP_AFTER = `
Without a configuration the gateway serves a small demo backend.
Examples:
  mcp-gateway -c servers.yaml
  mcp-gateway check --connect
  mcp-gateway stdio --backend github`;

export function createProgram(): Command {
  const program = new Command("mcp-gateway")
    .description("One port for all your MCP servers.")
    .version(`mcp-gateway ${VERSION} (commit ${COMMIT}, ${TARGET})`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", HELP_AFTER)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .showSuggestionAfterError();
  addServe(program);
  addAboutTools(program);
  addOthers(program);
  for (const command of program.commands) command.exitOverride().helpOption("-h, --help", "print this help");
  return program;
}

function addServe(program: Command): void {
  withLogOptions(program.command("serve", { isDefault: true }).description("run the gateway (the default)"))
    .option("-c, --config <path>", CONFIG_HELP)
    .option("-p, --port <port>", "port to listen on (default: 39400; 0: any free one)", toPort)
    .option("--host <host>", "address to listen on (default: 127.0.0.1)")
    .option("--no-meta-mcp", "serve all tools of all backends at /mcp instead of the four meta-tools")
    .allowExcessArguments()
    .action(async (options, command: Command) => {
      if (command.args.length > 0) refuseWord(program, command.args[0]);
      await (await import("./commands/serve.ts")).serve(options);
    });
}

/** Every word that is no command arrives at the default one. */
function refuseWord(program: Command, word = ""): never {
  const names = program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
  const isFile = /[./\\]/.test(word);
  const hint = isFile ? `Is it a configuration? -c ${word}` : `There are ${names.join(", ")}.`;
  return program.error(`error: unknown command '${word}'. ${hint}`);
}

function addAboutTools(program: Command): void {
  program
    .command("search")
    .description("search the tools of all backends, as a model does")
    .argument("<words...>", "what is needed")
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--explain", "say why each hit was found")
    .option("--limit <count>", "the most hits", toCount, 5)
    .option("--json", "print JSON")
    .action(async (words: string[], options) =>
      (await import("./commands/search.ts")).search(words.join(" "), options),
    );
  program
    .command("tokens")
    .description("count what the tools cost a model, with and without meta mode")
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--json", "print JSON")
    .action(async (options) => (await import("./commands/tokens.ts")).tokens(options));
}

function addOthers(program: Command): void {
  withLogOptions(program.command("stdio").description("serve one client over stdin and stdout"))
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--backend <name>", "this backend alone, exactly as it is")
    .option("--no-meta-mcp", "all tools of all backends instead of the four meta-tools")
    .action(async (options) => (await import("./commands/stdio.ts")).serveStdio(options));
  withLogOptions(program.command("check").description("check the configuration"))
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--connect", "start each backend once and say how it went")
    .option("--json", "print JSON")
    .action(async (options) => (await import("./commands/check.ts")).check(options));
  program
    .command("health")
    .description("ask the running gateway how it and its backends are")
    .addOption(urlOption())
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--strict", "exit with 1 where a backend has failed, too")
    .option("--json", "print JSON")
    .action(async (options) => (await import("./commands/health.ts")).health(options));
  program
    .command("status")
    .description("say what the running gateway and its backends do, and take of this machine")
    .addOption(urlOption())
    .option("-c, --config <path>", CONFIG_HELP)
    .option("--json", "print JSON")
    .action(async (options) => (await import("./commands/status.ts")).status(options));
  program
    .command("restart <backend>")
    .description("start one backend of the running gateway anew; its failures are forgotten")
    .addOption(urlOption())
    .option("-c, --config <path>", CONFIG_HELP)
    .action(async (name, options) => (await import("./commands/restart.ts")).restart(name, options));
  addService(program.command("service").description("run the gateway as a service of this machine"));
  program
    .command("schema")
    .description("print the JSON Schema of the configuration file")
    .action(async () => (await import("./commands/schema.ts")).printSchema());
  program
    .command("demo", { hidden: true })
    .description("the demo backend, over stdin and stdout")
    .action(async () => (await import("./commands/demo.ts")).runDemo());
}

function addService(service: Command): void {
  const command = (name: string, description: string) =>
    service.command(name).description(description).option("--user", "of this user, not of the whole system");
  command("install", "install it, or install it anew, and start it")
    .option(
      "-c, --config <path>",
      "configuration file (default: /etc/mcp-gateway/servers.yaml, or the user's)",
    )
    .option("--dry-run", "only say what would be done")
    .action(async (options) => (await import("./commands/service.ts")).installService(options));
  command("uninstall", "stop and remove it; configuration and state stay")
    .option("--dry-run", "only say what would be done")
    .action(async (options) => (await import("./commands/service.ts")).uninstallService(options));
  command("status", "say how it is").action(async (options) =>
    (await import("./commands/service.ts")).serviceStatus(options),
  );
}

function withLogOptions(command: Command): Command {
  const level = new Option("--log-level <level>", "DEBUG, INFO, WARNING or ERROR (default: INFO)").argParser(
    toLogLevel,
  );
  const format = new Option("--log-format <format>", "text or json")
    .choices(["text", "json"])
    .default("text");
  return command.addOption(level).addOption(format);
}

function urlOption(): Option {
  return new Option("--url <url>", "where it listens (default: as the configuration says)").argParser(toUrl);
}

function toUrl(value: string): URL {
  const url = URL.parse(value);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new InvalidArgumentError("The URL of a gateway looks like http://127.0.0.1:39400.");
}

function toPort(value: string): number {
  const port = Number(value);
  if (/^\d+$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function toCount(value: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError("A count is a number from 1 to 1000.");
}

function toLogLevel(value: string): string {
  const level = value.toUpperCase();
  if (["DEBUG", "INFO", "WARNING", "ERROR"].includes(level)) return level;
  throw new InvalidArgumentError("It is one of DEBUG, INFO, WARNING, ERROR.");
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : USAGE;
      return;
    }
    const { reportFailure } = await import("./commands/report-failure.ts");
    process.exitCode = reportFailure(thrown);
  }
}

await main();
