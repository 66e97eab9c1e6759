// Asks each of some URLs over and over, in a process of its own, and prints on SIGTERM the longest time that each took.

const PAUSE_MS = 5;

const longest: number[] = [];
async function keepAsking(url: string, at: number): Promise<never> {
  for (;;) {
    const startedMs = performance.now();
    await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    );
    longest[at] = Math.max(longest[at] ?? 0, performance.now() - startedMs);
    await Bun.sleep(PAUSE_MS);
  }
}

process.on("SIGTERM", () => {
  process.stdout.write(JSON.stringify(longest.map(Math.round)));
  process.exit(0);
});
for (const [at, url] of process.argv.slice(2).entries()) void keepAsking(url, at);
process.stdout.write("\n");
