#!/bin/sh
# Runs what must give the same answers on every Node.js on version 22: vectors, signatures, sealing, trust. Its Node.js goes to
# .setup/node22 and on no PATH: two packages called `node` in one node_modules would shadow each other.
set -eu
cd "$(dirname "$0")/.."
version=22.23.3
node=.setup/node22/node_modules/node/bin/node
if [ "$($node --version 2> /dev/null)" != "v$version" ]; then
  mkdir -p .setup/node22
  npm install --prefix .setup/node22 --no-save --no-audit --no-fund --loglevel=error "node@$version"
fi
exec "$node" --no-warnings --experimental-strip-types node_modules/mocha/bin/mocha.js \
  'test/envelope/*.spec.ts' 'test/sealing/*.spec.ts' 'test/identity/*.spec.ts' 'test/trust/*.spec.ts' \
  test/protocol/vectors.spec.ts test/protocol/golden-vectors.spec.ts test/generated/vectors.spec.ts \
  test/security/threats-messages.spec.ts test/fuzz/findings.spec.ts
