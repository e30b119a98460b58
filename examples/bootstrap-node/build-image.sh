#!/bin/sh
# Builds the image of a bootstrap node from this checkout, which must be built (`npm run setup`).
#   build-image.sh [NAME [BASE]]     NAME: localhost/beemesh-bootstrap:1; BASE: an image with Node.js, see the Containerfile
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
name=${1:-localhost/beemesh-bootstrap:1}
[ -d "$root/dist" ] || { echo 'build-image: there is no dist/; run "npm run setup" first' >&2; exit 3; }
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp -RL "$root/package.json" "$root/package-lock.json" "$root/LICENSE" "$root/dist" "$root/schemas" "$context/"
cp -R "$root/node_modules" "$context/"
# what only development needs goes; nothing is fetched
(cd "$context" && npm prune --omit=dev --offline --no-audit --no-fund --loglevel=error > /dev/null)
podman build -q ${2:+--build-arg "BASE=$2"} -t "$name" -f "$here/Containerfile" "$context" > /dev/null
echo "$name"
