#!/bin/sh
# Makes a fresh checkout ready: dependencies, build, Podman. Any POSIX shell, any Node from 18, npm, and nothing else.
#
#   setup.sh                 what running needs          (npm run setup, npm run demo)
#   setup.sh --test          also what the tests need    (network namespaces, flatc, a static busybox, dockerd)
#   setup.sh --packages P…   only install these system packages, by their Debian names (used by the other scripts)
#
# Repeatable, and done in well under a second when nothing is to do. Writes only into node_modules/, dist/ and .setup/:
#   .setup/env               KEY=value lines for a process that uses Podman (CONTAINERS_CONF, or nothing)
#   .setup/containers.conf   only on machines where Podman's defaults cannot work
#   .setup/no-podman         why there is no Podman; everything that needs it then says so and skips
# System packages are installed only by root, and only those that are missing.
set -eu
cd "$(dirname "$0")/.."
log() { echo "setup: $*" >&2; }

# Runs a command in silence, and shows what it said only when it fails.
quietly() {
  said=$("$@" 2>&1) && return 0
  status=$?
  echo "$said" | head -n 30 >&2
  return $status
}

install_packages() {
  if [ "$(id -u)" != 0 ]; then log "missing: $* (only root can install them)"; return 1; fi
  if command -v apt-get > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    set -- apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
    "$@" > /dev/null 2>&1 || { quietly apt-get update -qq && quietly "$@"; }
    return
  fi
  names=''
  for name in "$@"; do # the other distributions' names, where they differ
    if command -v apk > /dev/null; then case $name in procps) name=procps-ng ;; flatbuffers-compiler) name=flatc ;; docker.io) name=docker ;; esac
    else case $name in procps) name=procps-ng ;; busybox-static) name=busybox ;; docker.io) name=docker; command -v dnf > /dev/null && name=moby-engine ;; iproute2) command -v dnf > /dev/null && name=iproute ;; esac fi
    names="$names $name"
  done
  # shellcheck disable=SC2086 # a list of words is what we want
  if command -v dnf > /dev/null; then quietly dnf install -y -q $names
  elif command -v apk > /dev/null; then quietly apk add -q $names
  elif command -v pacman > /dev/null; then quietly pacman -Sy --needed --noconfirm $names
  else log "missing: $* (no package manager that this script knows: apt-get, dnf, apk, pacman)"; return 1; fi
}

if [ "${1:-}" = --packages ]; then shift; install_packages "$@"; exit; fi

node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2> /dev/null || {
  log 'needs Node.js 18 or newer and npm on PATH (the project then brings its own, newer Node.js)'; exit 1
}
mkdir -p .setup

# 1. Dependencies: when there are none, or the lock file's content changed since. `npm ci` also builds (script "prepare").
lock=$(cksum < package-lock.json)
sources() { find src tsconfig.json scripts/tsconfig.build.json -type f | LC_ALL=C sort | xargs cksum | cksum; }
current() { [ -f ".setup/$1" ] && [ "$(cat ".setup/$1")" = "$2" ]; }
installed=node_modules/.package-lock.json # npm writes it last
if [ ! -f $installed ] || { ! current lock "$lock" && [ -n "$(find package-lock.json -newer $installed)" ]; }; then
  log 'installing dependencies (npm ci; a minute or so the first time)'
  quietly npm ci --no-audit --no-fund --loglevel=error || { log 'npm ci failed, see above'; exit 1; }
  [ ! -d dist ] || sources > .setup/built
fi
current lock "$lock" || echo "$lock" > .setup/lock

# 2. Build: when dist/ is not there, or a source file's content changed since.
if [ ! -d dist ] || ! current built "$(sources)"; then
  log 'building (tsc)'
  built=$(sources)
  quietly npm run --silent build || { log 'the build failed, see above'; exit 1; }
  echo "$built" > .setup/built
fi

# 3. What the tests need beyond that.
if [ "${1:-}" = --test ]; then
  missing=''
  for pair in ip:iproute2 iptables:iptables pgrep:procps flatc:flatbuffers-compiler busybox:busybox-static unshare:util-linux dockerd:docker.io; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair#*:}"
  done
  # shellcheck disable=SC2086 # a list of words is what we want
  if [ -n "$missing" ]; then
    log "installing$missing"
    install_packages $missing || log "going on without$missing: the tests that need them will say so"
  fi
fi

# 4. Podman. A machine that cannot have it can still do everything else.
if settings=$(sh scripts/setup-podman.sh .setup/containers.conf); then
  rm -f .setup/no-podman
  echo "$settings" | grep -v '=$' > .setup/env || : > .setup/env
else
  : > .setup/env
  echo 'Podman is not on this machine and could not be installed; run "sh scripts/setup.sh" as root to see why.' > .setup/no-podman
  log 'going on without Podman: workloads run on the mock engine only (see .setup/no-podman)'
fi
