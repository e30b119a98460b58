#!/bin/sh
# A Docker Engine of one's own, for tests: nothing of it is shared with a dockerd that runs on the machine.
#
#   dockerd.sh start DIR     start it with all its state under DIR; prints DOCKER_HOST=unix://DIR/docker.sock
#   dockerd.sh stop DIR      kill its containers and itself, remove its bridge, mounts, cgroups and DIR
#
# Needs root, iproute2 and dockerd (Debian: docker.io), which it installs when it is missing. Several may run, each under its own DIR: the bridge's
# name and subnet come from DIR. Ports are published by docker-proxy alone, because iptables rules would be the machine's; so
# containers reach each other and this machine, and nothing beyond. Mounts are in a namespace of their own. Exit 3: it cannot be had.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
fail() { echo "dockerd: $*" >&2; exit 3; }
[ $# = 2 ] || { sed -n '2,/^set /{/^#/!q;s/^# \{0,1\}//p}' "$0"; exit 2; }
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
number=$(printf %s "$dir" | cksum | cut -d ' ' -f 1)
bridge=bmd$((number % 100000))
address=10.$((96 + number % 32)).$((number / 32 % 256)).1

alive() { [ -d "/proc/$1" ] && [ "$(awk '/^State/ { print $2 }' "/proc/$1/status" 2> /dev/null)" != Z ]; }
# Its own processes and those of its containers: all that is in its mount namespace, and the shims' children.
shims() { pgrep -f -- "-address $dir/exec/" || true; }

start() {
  [ "$(id -u)" = 0 ] || fail 'only root can start one'
  PATH=$PATH:/usr/sbin:/sbin
  if ! command -v dockerd > /dev/null; then
    sh "$here/scripts/setup.sh" --packages docker.io || fail 'there is no dockerd here, and it could not be installed'
  fi
  command -v dockerd > /dev/null || fail 'there is no dockerd here'
  ip link show "$bridge" > /dev/null 2>&1 || ip link add "$bridge" type bridge
  ip addr replace "$address/24" dev "$bridge"
  ip link set "$bridge" up
  echo {} > "$dir/daemon.json"
  setsid unshare -m --propagation slave dockerd -H "unix://$dir/docker.sock" --data-root "$dir/data" --exec-root "$dir/exec" \
    --pidfile "$dir/dockerd.pid" --bridge "$bridge" --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
    --cgroup-parent "/$bridge" --config-file "$dir/daemon.json" < /dev/null > "$dir/dockerd.log" 2>&1 &
  for _ in $(seq 300); do
    if [ -S "$dir/docker.sock" ] && curl_ping; then echo "DOCKER_HOST=unix://$dir/docker.sock"; return; fi
    kill -0 $! 2> /dev/null || break
    sleep 0.1
  done
  tail -n 5 "$dir/dockerd.log" >&2
  stop
  fail 'it does not answer, see above'
}

curl_ping() {
  node -e 'require("http").get({ socketPath: process.argv[1], path: "/_ping" }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on("error", () => process.exit(1))' "$dir/docker.sock" 2> /dev/null
}

stop() {
  pid=$(cat "$dir/dockerd.pid" 2> /dev/null || true)
  containerd=$(cat "$dir/exec/containerd/containerd.pid" 2> /dev/null || true)
  # first, because a dockerd that is asked to end gives every container 15 s
  for shim in $(shims); do
    for child in $(cat "/proc/$shim/task/$shim/children" 2> /dev/null); do kill -9 "$child" 2> /dev/null || true; done
  done
  for one in $pid $containerd; do
    case $({ tr "\0" " " < "/proc/$one/cmdline"; } 2> /dev/null) in *"$dir"/*) ;; *) continue ;; esac # its PID may be another's by now
    kill "$one" 2> /dev/null || true
    for _ in $(seq 100); do alive "$one" || break; sleep 0.05; done
    if alive "$one"; then kill -9 "$one" 2> /dev/null || true; fi
  done
  for shim in $(shims); do kill -9 "$shim" 2> /dev/null || true; done
  ip link del "$bridge" 2> /dev/null || true
  for group in /sys/fs/cgroup/"$bridge" /sys/fs/cgroup/*/"$bridge"; do
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || true; fi
  done
  for _ in $(seq 50); do rm -rf "$dir" 2> /dev/null && break; sleep 0.1; done
  [ ! -e "$dir" ] || fail "$dir could not be removed"
}

case $1 in
start) start ;;
stop) stop ;;
*) fail "expected start or stop, got $1" ;;
esac
