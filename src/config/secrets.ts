// Which values of a configuration are secrets: they are made known to the log, which cuts them out of every text.

import { unescape as percentDecoded } from "node:querystring";
import { registerSecret } from "../log.ts";

const CREDENTIAL = /KEY|TOKEN|SECRET|PASSWORD|PASS|AUTH|CREDENTIAL|COOKIE/i;

/** Whether a variable, a header or a query parameter of this name holds a credential, as far as a name can tell. */
function namesCredential(name: string): boolean {
  return CREDENTIAL.test(name);
}

export function hideNamed(name: string, value: string): void {
  if (namesCredential(name)) registerSecret(value);
}

/** Passwords and keys that travel in the URL itself. */
export function hideInUrl(url: URL): void {
  if (url.password !== "") registerSecret(percentDecoded(url.password));
  for (const [name, value] of url.searchParams) hideNamed(name, value);
}
