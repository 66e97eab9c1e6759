#!/bin/sh
# Installs mcp-gateway: fetches the binary for this machine from the release, checks it against the release's SHA256SUMS,
# puts it into ~/.local/bin (root: /usr/local/bin). Needs no root, writes nothing else.
#   MCP_GATEWAY_VERSION   a version, such as 2.0.0 (default: the latest)
#   MCP_GATEWAY_BIN       the folder to put it into
#   MCP_GATEWAY_DOWNLOAD  where the release's files are (default: GitHub)
set -eu

main() {
  repository=${MCP_GATEWAY_REPOSITORY:-@REPOSITORY@}
  releases=https://github.com/$repository/releases
  if [ -n "${MCP_GATEWAY_VERSION:-}" ]; then
    download=${MCP_GATEWAY_DOWNLOAD:-$releases/download/v${MCP_GATEWAY_VERSION#v}}
  else
    download=${MCP_GATEWAY_DOWNLOAD:-$releases/latest/download}
  fi
  folder=${MCP_GATEWAY_BIN:-$(default_folder)}
  name=mcp-gateway-$(target)

  mkdir -p "$folder" || fail "$folder cannot be made. Choose another folder with MCP_GATEWAY_BIN."
  staging=$(mktemp -d "$folder/.mcp-gateway.XXXXXX") ||
    fail "$folder cannot be written to. Choose another folder with MCP_GATEWAY_BIN."
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' INT TERM HUP

  say "Fetching $name ..."
  fetch "$download/SHA256SUMS" "$staging/SHA256SUMS"
  fetch "$download/$name" "$staging/$name"
  verify "$staging" "$name"

  chmod 755 "$staging/$name"
  installed=$("$staging/$name" --version) || fail "$name does not run here.$(missing_libraries)"
  mv -f "$staging/$name" "$folder/mcp-gateway" # a rename: one that runs now goes on
  say "$installed is installed as $folder/mcp-gateway."
  case ":$PATH:" in
  *":$folder:"*) ;;
  *) say "$folder is not on your PATH; add it in your shell's profile:  export PATH=\"$folder:\$PATH\"" ;;
  esac
  say "Next:  mcp-gateway --help"
}

default_folder() {
  if [ "$(id -u)" -eq 0 ]; then echo /usr/local/bin; else echo "$HOME/.local/bin"; fi
}

target() {
  case $(uname -s) in
  Linux) system=linux ;;
  Darwin) system=macos ;;
  *) fail "There is no binary for $(uname -s) here. On Windows use install.ps1, or npm install --global mcp-gateway." ;;
  esac
  case $(uname -m) in
  x86_64 | amd64) processor=x64 ;;
  aarch64 | arm64) processor=arm64 ;;
  *) fail "There is no binary for the processor $(uname -m)." ;;
  esac
  # A shell under Rosetta says x86_64 on an Apple processor.
  if [ "$system" = macos ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then processor=arm64; fi
  if [ "$system" = linux ] && is_musl; then echo "linux-$processor-musl"; else echo "$system-$processor"; fi
}

is_musl() {
  # ldd of musl says so, and fails; ldd of glibc does neither.
  ldd --version 2>&1 | grep -qi musl
}

missing_libraries() {
  if is_musl; then echo " It needs the C++ library: apk add libstdc++"; fi
}

fetch() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --retry 3 --output "$2" "$1" || fail "$1 could not be fetched."
  elif command -v wget >/dev/null; then
    wget --quiet --output-document="$2" "$1" || fail "$1 could not be fetched."
  else
    fail "This needs curl or wget."
  fi
}

verify() {
  expected=$(awk -v name="$2" '$2 == name { print $1 }' "$1/SHA256SUMS")
  [ -n "$expected" ] || fail "The release's SHA256SUMS has no $2."
  if command -v sha256sum >/dev/null; then
    actual=$(sha256sum "$1/$2")
  elif command -v shasum >/dev/null; then
    actual=$(shasum -a 256 "$1/$2")
  else
    fail "This needs sha256sum or shasum, to check what was fetched."
  fi
  [ "${actual%% *}" = "$expected" ] ||
    fail "What was fetched is not what was released: $2 has the checksum ${actual%% *}, not $expected. Nothing was installed."
}

say() {
  echo "$*" >&2
}

fail() {
  say "$*"
  exit 1
}

# Last, so that a script that arrived in part does nothing.
main
