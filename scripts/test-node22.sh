#!/bin/sh
# Runs what must give the same answers on every Node.js on version 22: vectors, signatures, sealing, trust. Its Node.js goes to
# .setup/node22 and on no PATH: two packages called `node` in one node_modules would shadow each other.
#
#   test-node22.sh             all of it, about 20 s of CPU       (npm run test:node22)
#   test-node22.sh --vectors   the conformance vectors, about 1 s (part of npm test)
#
# Exits with 77 where that Node.js cannot be had.
set -eu
cd "$(dirname "$0")/.."
version=22.23.3
node=.setup/node22/node_modules/node/bin/node
if [ "$($node --version 2> /dev/null)" != "v$version" ]; then
  mkdir -p .setup/node22
  npm install --prefix .setup/node22 --no-save --no-audit --no-fund --loglevel=error "node@$version" || {
    echo "SKIPPED: Node.js $version could not be installed, see above"
    exit 77
  }
fi
set -- "${1:-}" test/protocol/vectors.spec.ts test/protocol/golden-vectors.spec.ts test/generated/vectors.spec.ts \
  test/security/threats-messages.spec.ts
[ "$1" = --vectors ] || set -- "$@" 'test/envelope/*.spec.ts' 'test/sealing/*.spec.ts' 'test/identity/*.spec.ts' \
  'test/trust/*.spec.ts' test/fuzz/findings.spec.ts
shift
exec "$node" --no-warnings --experimental-strip-types node_modules/mocha/bin/mocha.js "$@"
