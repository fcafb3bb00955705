#!/bin/sh
# usage: scripts/run.sh deps|all|tests|bench SCRIPT.ts [ARGUMENT...]
# Sets up what is missing, then runs a script of this repository under the chosen Node.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
level=$1
script=$2
shift 2
"$root/scripts/setup.sh" "$level"
PATH=$root/.runtime/bin:$root/node_modules/.bin:$PATH
export PATH
cd -- "$root"
exec "$root/.runtime/bin/node" "$script" "$@"
