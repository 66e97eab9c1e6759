// The environment of a child: a short list of harmless variables of ours, and the backend's own `env` over it.
// Everything else of our environment stays here: what the gateway knows (tokens, keys) is none of a backend's business.

/** What a program needs to find its files, its user, its language and its way out. `LC_*` passes as well. */
const INHERITED = [
  "PATH HOME USER LOGNAME SHELL TERM LANG LANGUAGE TZ TMPDIR TMP TEMP",
  // Where per-user files live, and the screen: package caches, configuration, browsers that open a window.
  "XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR DISPLAY WAYLAND_DISPLAY XAUTHORITY",
  // The way to the network, in either case because programs disagree, and whom to trust there.
  "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy",
  "SSL_CERT_FILE SSL_CERT_DIR NIX_SSL_CERT_FILE NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE",
  "NPM_CONFIG_REGISTRY npm_config_registry",
  // `docker run -i …` is a common command line, and finds its daemon by these.
  "DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY",
];

const INHERITED_ON_WINDOWS = [
  "SYSTEMROOT WINDIR SYSTEMDRIVE COMSPEC PATHEXT OS NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE",
  "USERNAME USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA ALLUSERSPROFILE",
  "PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432",
];

export type Environment = Readonly<Record<string, string | undefined>>;

export function childEnv(
  own: Readonly<Record<string, string>>,
  ours: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const isWindows = platform === "win32";
  // Windows does not tell `Path` from `PATH`, so neither may we: two spellings would leave the winner to chance.
  const keyOf = (name: string) => (isWindows ? name.toUpperCase() : name);
  const names = isWindows ? [...INHERITED, ...INHERITED_ON_WINDOWS] : INHERITED;
  const safe = new Set(names.join(" ").split(" ").map(keyOf));
  const overridden = new Set(Object.keys(own).map(keyOf));
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(ours)) {
    const key = keyOf(name);
    if (value === undefined || overridden.has(key)) continue;
    if (safe.has(key) || key.startsWith("LC_")) env[name] = value;
  }
  return Object.assign(env, own);
}

/** The value of a variable by the platform's rule for names. */
export function envValue(
  env: Environment,
  name: string,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  if (platform !== "win32") return env[name];
  const key = Object.keys(env).find((candidate) => candidate.toUpperCase() === name);
  return key === undefined ? undefined : env[key];
}
