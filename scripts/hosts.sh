#!/usr/bin/env bash
# Several "machines" on one, for tests: each host has its own network (10.78.0.<i>), processes, and Podman storage and DNS.
#
#   hosts.sh up N DIR [PID]              start hosts 1..N with their state under DIR (an absolute path is printed back); they
#                                        belong to process PID: once it is gone, the next `up` ends them
#   hosts.sh exec DIR I CMD...           run CMD on host I: its network, its processes, its podman; keeps the working directory
#   hosts.sh load DIR I FILE             load an image archive (podman save) into host I's podman
#   hosts.sh cut DIR I | heal DIR I      unplug or plug in host I's cable
#   hosts.sh loss DIR I SHARE            drop a share (0..1) of what host I receives; 0 stops that
#   hosts.sh block DIR I J | unblock …   host I no longer hears host J (one way; call twice for both)
#   hosts.sh kill DIR I                  power off host I: the cable goes first (peers see silence), then every process
#   hosts.sh crash DIR I                 kill every process of host I but its first: its kernel goes on, and closes their connections
#   hosts.sh boot DIR I                  power host I on again: what is on its disk is there, /run and processes are not
#   hosts.sh down DIR                    power off all, and leave nothing behind
#
# Needs root, bash, iproute2, iptables, util-linux and Podman: `sh scripts/setup.sh --test`. Honours CONTAINERS_CONF, or takes it
# from .setup/env; every host gets a copy as /etc/containers/containers.conf of its own. There is no netem here, so no latency.
# One set of hosts at a time: bridge bmbr0 and addresses 10.78.0.0/24 are fixed. A host's /run and /dev/shm are its own, in memory
# and empty at first; /usr, /tmp, /home and what is not named here are the machine's.
set -euo pipefail
bridge=bmbr0
subnet=10.78.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fail() { echo "hosts: $*" >&2; exit 1; }

first_process() { cat "$1/$2/pid" 2> /dev/null || fail "there is no host $2 under $1"; }
on_host() { # DIR I CMD...
  local pid
  pid=$(first_process "$1" "$2")
  shift 2
  nsenter -t "$pid" -m -n -p --wd="$PWD" env -u CONTAINERS_CONF "$@"
}
# PID 1 of a host: must reap what is orphaned there, or conmon's children stay as zombies.
init() {
  local reaper
  for reaper in /usr/bin/catatonit /usr/libexec/podman/catatonit /usr/libexec/catatonit/catatonit; do
    [ -x "$reaper" ] && { echo "$reaper -- sleep infinity"; return; }
  done
  echo 'sleep infinity'
}
settings() { # path of the containers.conf to give to hosts, or nothing
  [ -n "${CONTAINERS_CONF:-}" ] && { echo "$CONTAINERS_CONF"; return; }
  sed -n 's/^CONTAINERS_CONF=//p' "$here/.setup/env" 2> /dev/null || true
}

start_host() { # DIR I
  local host=$1/$2 i=$2 conf child pid
  mkdir -p "$host"/{lib,etc}
  cp -a /etc/containers/. "$host/etc/" 2> /dev/null || true
  rm -rf "$host/etc/networks" "$host/ready"
  conf=$(settings)
  if [ -n "$conf" ]; then cp "$conf" "$host/etc/containers.conf"; fi
  # Private directories over the default paths, so that podman on a host needs no flags; mounts die with the namespace. All of
  # /run, because the OCI runtime keeps its state there (/run/runc), and podman asks it whether the machine runs systemd.
  setsid unshare -m -n -p --fork --mount-proc --propagation private bash -c "
    resolv=\$(cat /etc/resolv.conf) # may be a link into /run
    mkdir -p /var/lib/containers /etc/containers
    mount --bind '$host/lib' /var/lib/containers
    mount --bind '$host/etc' /etc/containers
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs tmpfs /dev/shm
    if [ ! -e /etc/resolv.conf ]; then
      resolver=\$(readlink -m /etc/resolv.conf)
      mkdir -p \"\${resolver%/*}\"
      echo \"\$resolv\" > \"\$resolver\"
    fi
    touch '$host/ready'
    exec $(init)" < /dev/null > /dev/null 2>&1 &
  child=$!
  for _ in $(seq 100); do [ -e "$host/ready" ] && break; sleep 0.05; done
  [ -e "$host/ready" ] || fail "host $i did not start"
  tr -d ' ' < "/proc/$child/task/$child/children" > "$host/pid"
  pid=$(first_process "$1" "$i")
  ip link add "bmv$i" type veth peer name eth0 netns "$pid"
  ip link set "bmv$i" master $bridge up
  nsenter -t "$pid" -n sh -c "
    ip addr add $subnet.$i/24 dev eth0
    ip link set eth0 up
    ip link set lo up
    ip route add default via $subnet.254
    echo 1 > /proc/sys/net/ipv4/ip_forward"
}

owner() { ip link show $bridge 2> /dev/null | sed -n 's/^ *alias //p'; } # DIR of the hosts that are up

started() { sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20; } # PID: when, because numbers come again
is_first_process() { [ "$(awk '/^NSpid/ { print NF - 1, $NF }' "/proc/$1/status" 2> /dev/null)" = '2 1' ]; } # PID
# DIR: whether nobody will end these hosts any more. Those that belong to nobody are left alone while one of them has power.
abandoned() {
  local pid began file
  if [ -e "$1/maker" ]; then
    read -r pid began < "$1/maker"
    [ "$(started "$pid")" != "$began" ]
    return
  fi
  for file in "$1"/[0-9]*/pid; do
    if [ -e "$file" ] && is_first_process "$(cat "$file")"; then return 1; fi
  done
}

stop_host() { # DIR I: nothing to stop is success
  local pid
  ip link del "bmv$2" 2> /dev/null || true
  pid=$(cat "$1/$2/pid" 2> /dev/null) || return 0
  # its PID may be somebody else's by now: only kill what is the first process of a PID namespace
  is_first_process "$pid" || return 0
  kill -9 "$pid"
  for _ in $(seq 250); do [ -d "/proc/$pid" ] || break; sleep 0.02; done # it goes last, after every process of its namespace
}

# Cgroups are the machine's, so a host's pods leave theirs behind: empty ones, found by the IDs in the host's own database.
remove_cgroups() { # DIR I
  local id pod
  for id in $(cat "$1/$2/lib/storage/libpod/"*.db 2> /dev/null | grep -aoE '[0-9a-f]{64}' | sort -u); do
    # a pod's, or that of a container outside any pod
    for pod in /sys/fs/cgroup/libpod_parent/{,libpod-}"$id" /sys/fs/cgroup/*/libpod_parent/{,libpod-}"$id"; do
      if [ -d "$pod" ]; then find "$pod" -depth -type d -exec rmdir {} + 2> /dev/null || true; fi
    done
  done
}
# Rules for what comes in by the cable, before it is known whether it is for the host or for a pod of it.
rules() { # DIR I ARGS...
  local dir=$1 i=$2
  shift 2
  on_host "$dir" "$i" iptables -w -t mangle "$@"
}

case ${1:-} in
up)
  count=$2
  mkdir -p "$3"
  dir=$(cd "$3" && pwd -P)
  if ip link show $bridge > /dev/null 2>&1; then
    other=$(owner)
    { [ -n "$other" ] && abandoned "$other"; } || fail "other hosts are up already; end them with: bash scripts/hosts.sh down $other"
    bash "$0" down "$other"
  fi
  if [ -n "${4:-}" ]; then echo "$4 $(started "$4")" > "$dir/maker"; fi
  # an address of its own, or it takes its ports' lowest, another each time a host comes or goes, and hosts send to the one before
  ip link add $bridge address 02:00:0a:4e:00:fe type bridge
  ip link set $bridge alias "$dir"
  ip addr add $subnet.254/24 dev $bridge
  ip link set $bridge up
  for i in $(seq 1 "$count"); do start_host "$dir" "$i"; done
  echo "hosts 1..$count are up under $dir: $subnet.1 .. $subnet.$count"
  ;;
exec) dir=$2 i=$3; shift 3; on_host "$dir" "$i" "$@" ;;
load) on_host "$2" "$3" podman load -q -i "$4" ;;
cut) ip link set "bmv$3" down ;;
heal) ip link set "bmv$3" up ;;
loss)
  rules "$2" "$3" -N LOSS 2> /dev/null && rules "$2" "$3" -A PREROUTING -i eth0 -j LOSS
  rules "$2" "$3" -F LOSS
  [ "$4" = 0 ] || rules "$2" "$3" -A LOSS -m statistic --mode random --probability "$4" -j DROP
  ;;
block) rules "$2" "$3" -A PREROUTING -i eth0 -s "$subnet.$4" -j DROP ;;
unblock) rules "$2" "$3" -D PREROUTING -i eth0 -s "$subnet.$4" -j DROP ;;
kill)
  ip link set "bmv$3" down
  kill -9 "$(first_process "$2" "$3")" # PID 1 of the host: every other process goes with it
  ;;
crash) # all but PID 1 and what it waits for
  on_host "$2" "$3" bash -c '
    kept=$(pgrep -P 1 -fx "sleep infinity")
    kill -9 $(ls /proc | grep -x "[0-9]*" | grep -vx -e 1 -e "$$" -e "${kept:-1}") 2> /dev/null || true'
  ;;
boot)
  dir=$(realpath "$2")
  stop_host "$dir" "$3"
  remove_cgroups "$dir" "$3"
  start_host "$dir" "$3"
  ;;
down)
  dir=$(realpath -m "$2")
  for host in "$dir"/[0-9]*; do if [ -d "$host" ]; then stop_host "$dir" "$(basename "$host")"; fi; done
  case $(owner) in "$dir" | '') ip link del $bridge 2> /dev/null || true ;; esac # else it is that of other hosts
  for host in "$dir"/[0-9]*; do remove_cgroups "$dir" "$(basename "$host")"; done
  for _ in $(seq 50); do rm -rf "$dir" 2> /dev/null && break; sleep 0.1; done # until the last mount has gone
  [ ! -e "$dir" ] || fail "$dir could not be removed"
  ;;
*) sed -n '2,/^set /{/^#/!q;s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
