// What kind of address a text is. node:net is loaded only where that is not plain to see.

const PLAIN_LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1"]);

/** 4 or 6; 0 for what is no address. */
export function ipFamily(text: string): number {
  return net().isIP(text);
}

/** `[::1]` is how URLs write `::1`. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** An address or a name that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const address = withoutBrackets(host);
  if (PLAIN_LOOPBACK.has(address)) return true;
  const family = ipFamily(address);
  if (family === 0) return /^(?:.+\.)?localhost\.?$/i.test(address);
  const { BlockList } = net();
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

function net() {
  return process.getBuiltinModule("node:net");
}
