// Names for the things of many backends in one list: `backend__tool`, `gateway:backend:uri`.

import { sha256 } from "../digest.ts";

/** Clients refuse whole sessions over longer tool names. */
const MAX_NAME_LENGTH = 64;
const HASH_LENGTH = 8;
const SEPARATOR = "__";
const URI_PREFIX = "gateway:";

/** `backend__name`, with what clients do not take replaced and what is too long cut, made unique by a hash. */
export function qualifyName(backend: string, name: string): string {
  const plain = `${backend}${SEPARATOR}${name}`;
  const safe = plain.replace(/[^A-Za-z0-9_-]/g, "_");
  if (safe === plain && safe.length <= MAX_NAME_LENGTH) return safe;
  const hash = sha256(plain).toString("hex").slice(0, HASH_LENGTH);
  return `${safe.slice(0, MAX_NAME_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}

/** True where `qualified` is what the backend's `name` is called in a merged list. */
export function isQualified(qualified: string, backend: string, name: string): boolean {
  return qualified === `${backend}${SEPARATOR}${name}` || qualified === qualifyName(backend, name);
}

/** The backend and the rest, as written; undefined where none of the backends fits. The longest name wins. */
export function splitName(
  qualified: string,
  backends: readonly string[],
): { backend: string; name: string } | undefined {
  const fitting = backends.filter((backend) => qualified.startsWith(`${backend}${SEPARATOR}`));
  const backend = fitting.sort((a, b) => b.length - a.length)[0];
  return backend === undefined
    ? undefined
    : { backend, name: qualified.slice(backend.length + SEPARATOR.length) };
}

/** As `splitName`, and for `backend.name` as well, which is how a signature writes it. */
export function splitLoosely(
  written: string,
  backends: readonly string[],
): { backend: string; name: string } | undefined {
  const fitting = backends.filter(
    (backend) => written.startsWith(`${backend}.`) || written.startsWith(`${backend}${SEPARATOR}`),
  );
  const backend = fitting.sort((a, b) => b.length - a.length)[0];
  if (backend === undefined) return undefined;
  const rest = written.slice(backend.length);
  return { backend, name: rest.slice(rest.startsWith(".") ? 1 : SEPARATOR.length) };
}

/** Any URI or URI template, reversibly: the original stands whole behind the prefix. */
export function qualifyUri(backend: string, uri: string): string {
  return `${URI_PREFIX}${backend}:${uri}`;
}

export function splitUri(qualified: string): { backend: string; uri: string } | undefined {
  const match = /^gateway:([A-Za-z0-9._-]+):(.*)$/s.exec(qualified);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { backend: match[1], uri: match[2] };
}
