#!/bin/sh
# Makes Podman usable on this machine. Usage: setup-podman.sh [CONF_PATH]   (default .setup/containers.conf)
#
#   1. Installs Podman and its parts through the machine's own package manager, when they are missing and we are root.
#   2. Writes CONF_PATH, and only when Podman's defaults cannot work here: a hybrid cgroup tree (crun refuses it, runc
#      does not), or hard limits below what Podman asks for without CAP_SYS_RESOURCE. Never writes to /etc.
#   3. Prints "CONTAINERS_CONF=<path>" on stdout, or "CONTAINERS_CONF=" when the defaults are fine.
#
# Exit 3: Podman cannot be had (the reason is on stderr). Any POSIX shell; repeatable; a second run changes nothing.
# src/runtime/podman/machine/containers-conf.ts does the same detection in the daemon, for people who never run this script.
set -eu
conf=${1:-.setup/containers.conf}
log() { echo "setup: podman: $*" >&2; }

have() { # is program $1 on PATH, or in one of the places where Podman itself looks?
  for dir in $(echo "$PATH" | tr : ' ') /usr/sbin /sbin /usr/libexec/podman /usr/lib/podman /usr/libexec/catatonit /usr/local/libexec/podman; do
    [ -x "$dir/$1" ] && return 0
  done
  return 1
}

# 1. packages: each is named like the program it brings
missing=''
for program in podman runc conmon netavark aardvark-dns catatonit iptables; do
  have $program || missing="$missing $program"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    log "missing:$missing (only root can install them)"
  else
    log "installing$missing"
    # shellcheck disable=SC2086 # a list of words is what we want
    sh "$(dirname "$0")/setup.sh" --packages $missing || true # judged by what is there afterwards
  fi
fi
have podman || { log 'there is no podman on this machine'; exit 3; }

# 2. what this machine needs
limit() { awk -v key="$1" 'index($0, key) == 1 { print $(NF - 1) }' /proc/self/limits; } # hard limit
below() { [ "$1" != unlimited ] && [ "$1" -lt "$2" ]; }
runtime='' ulimits=''
if [ ! -e /sys/fs/cgroup/cgroup.controllers ] && grep -q ' cgroup2 ' /proc/self/mounts; then
  runtime=runc
fi
capabilities=$(awk '/^CapEff/ { print $2 }' /proc/self/status)
if [ "$(id -u)" = 0 ] && [ $((0x$capabilities >> 24 & 1)) = 0 ]; then # bit 24: CAP_SYS_RESOURCE
  nofile=$(limit 'Max open files') nproc=$(limit 'Max processes')
  if below "$nofile" 1048576 || below "$nproc" 1048576; then
    below "$nofile" 1048576 || nofile=1048576
    ceiling=$(cat /proc/sys/kernel/pid_max) # Podman lowers its own hard nproc to this
    [ "$ceiling" -gt 8192 ] && ceiling=8192
    below "$nproc" "$ceiling" || nproc=$ceiling
    ulimits="\"nofile=$nofile:$nofile\", \"nproc=$nproc:$nproc\""
  fi
fi
if [ -z "$runtime$ulimits" ]; then
  echo 'CONTAINERS_CONF='
  exit 0
fi

# 3. the file. It replaces the machine's own containers.conf for our Podman, so it also names the network backend.
mkdir -p "$(dirname "$conf")"
conf=$(cd "$(dirname "$conf")" && pwd)/$(basename "$conf")
{
  echo '# Written by scripts/setup-podman.sh from what this machine can do; see there.'
  if [ -n "$ulimits" ]; then printf '[containers]\ndefault_ulimits = [%s]\n' "$ulimits"; fi
  if have netavark; then printf '[network]\nnetwork_backend = "netavark"\n'; fi
  if [ -n "$runtime" ]; then printf '[engine]\nruntime = "%s"\n' "$runtime"; fi
} > "$conf.new"
if cmp -s "$conf.new" "$conf"; then rm "$conf.new"; else
  mv "$conf.new" "$conf"
  log "wrote $conf (${runtime:+runtime $runtime}${runtime:+${ulimits:+, }}${ulimits:+lower limits})"
fi
echo "CONTAINERS_CONF=$conf"
