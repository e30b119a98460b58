#!/bin/sh
# The guard of a node: kills what runs past its lease, whatever has become of the node's daemon. It reads files and asks nobody.
# usage: sh guard.sh DIR
#   DIR/daemon       "PID START" of the daemon
#   DIR/NAME.lease   line 1 the deadline, in hundredths of a second since boot; then what to kill:
#                    "pid PID START" a process that started then · "cgroup PATH" all in a cgroup · "monitor NAME" what a conmon of a
#                    container NAME-… has started · "starting" more of it may come about, so that there is no end to looking
#   DIR/NAME.killed  a lease whose processes are gone because the guard killed them
# Ends itself when there is no lease left and no daemon.
set -u
LC_ALL=C
export LC_ALL
umask 077
cd "$1" || exit 1

is_number() {
  case $1 in '' | *[!0-9]* | ???????????????*) return 1 ;; esac
}

# START: when the process $1 began, in ticks since boot; empty when it is gone or only its entry is left.
look() {
  START=
  line=
  { read -r line < "/proc/$1/stat"; } 2> /dev/null
  [ -n "$line" ] || return 0
  # after the last ")", because a process may give itself any name
  set -- ${line##*") "}
  case $1 in Z | X) return 0 ;; esac
  shift 19
  START=$1
}

kill_one() {
  is_number "$1" && [ "$1" -gt 1 ] || return 0
  left=1
  kill -9 "$1" 2> /dev/null
}

# Kills what lease $1 names. left: something was there.
fence() {
  left=0
  goes_on=0
  while read -r kind a b; do
    case $kind in
      pid)
        is_number "$a" && is_number "$b" || continue
        look "$a"
        [ "$START" = "$b" ] && kill_one "$a"
        ;;
      cgroup)
        case $a in *[!A-Za-z0-9/_.:@-]* | */../* | */..) continue ;; /sys/fs/cgroup/?*) ;; *) continue ;; esac
        for pid in $(find "$a" -name cgroup.procs -exec cat {} + 2> /dev/null); do kill_one "$pid"; done
        ;;
      monitor)
        case $a in '' | *[!a-z0-9-]* | -*) continue ;; esac
        for found in $(grep -lF -e "$a-" /proc/[0-9]*/cmdline 2> /dev/null); do
          dir=${found%/cmdline}
          comm=
          { read -r comm < "$dir/comm"; } 2> /dev/null
          [ "$comm" = conmon ] || continue
          for pid in $(cat "$dir"/task/*/children 2> /dev/null); do
            look "$pid"
            [ -n "$START" ] && kill_one "$pid"
          done
        done
        ;;
      starting) goes_on=1 ;;
    esac
  done < "$1"
  # only when a look has found nothing any more: a process may take its time to die
  [ "$left$goes_on" = 00 ] && mv -f "$1" "${1%.lease}.killed"
  return 0
}

daemon_lives() {
  pid=
  start=
  { read -r pid start < daemon; } 2> /dev/null
  is_number "$pid" || return 1
  look "$pid"
  [ -n "$START" ] && [ "$START" = "$start" ]
}

while :; do
  read -r up idle < /proc/uptime
  now=${up%.*}${up#*.}
  leases=0
  for lease in *.lease; do
    deadline=
    { read -r deadline < "$lease"; } 2> /dev/null
    is_number "$deadline" || continue
    leases=1
    [ "$now" -ge "$deadline" ] && fence "$lease"
  done
  if [ "$leases" = 0 ] && ! daemon_lives; then exit 0; fi
  sleep 0.5 2> /dev/null || sleep 1
done
