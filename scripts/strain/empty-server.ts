// A Bun server that does nothing: how long it keeps a request waiting is what the machine takes. Prints its port.

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("ok") });
process.stdout.write(`${server.port}\n`);
