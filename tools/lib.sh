# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts in this folder share: where things are, how they speak, and the
# few careful things (is this process still ours, is a port free) that are easy to
# get wrong twice. It is sourced, never run, and changes nothing when sourced.

# shellcheck disable=SC2034  # used by the scripts that source this file
SHOAL_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
SHOAL_CACHE=${SHOAL_CACHE:-${HOME:-/root}/.cache/shoal}
SHOAL_KAFKA_POM=$SHOAL_ROOT/tools/kafka/pom.xml

# Progress and complaints go to standard error: standard output is for results.
say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

warn() {
    printf '%s: warning: %s\n' "${0##*/}" "$*" >&2
}

# Exit code 1: it could not be done. Exit code 2: it was asked wrongly.
die() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

die_usage() {
    printf '%s: %s\n%s\n' "${0##*/}" "$*" "Try '$0 --help'." >&2
    exit 2
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# A box that nobody overlooks in a long log.
shout() {
    local line
    printf '%s\n' '' "$(printf '!%.0s' {1..78})" >&2
    for line in "$@"; do
        printf '!! %s\n' "$line" >&2
    done
    printf '%s\n' "$(printf '!%.0s' {1..78})" '' >&2
}

now_ms() {
    local us=${EPOCHREALTIME/[.,]/}
    printf '%s\n' "$((us / 1000))"
}

# The pinned version is written once, in the pom.
kafka_version() {
    sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$SHOAL_KAFKA_POM"
}

kafka_home() {
    printf '%s/kafka-%s\n' "$SHOAL_CACHE" "$(kafka_version)"
}

# The jars are complete only if they were resolved from this very pom: a half
# finished download or an older pom leaves no matching stamp.
kafka_is_installed() {
    local home
    home=$(kafka_home)
    [[ -f $home/pom.xml && -d $home/libs ]] && cmp -s "$SHOAL_KAFKA_POM" "$home/pom.xml"
}

# Prints the major version of the java on PATH, or nothing.
java_major() {
    have java || return 0
    java -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

# --- processes -------------------------------------------------------------
#
# A pid file holds the process id and, on its second line, the kernel's start time
# of that process. Both must match, so a number that was reused after a crash or a
# reboot is never taken for ours, and never signalled.

# Prints the start time (clock ticks since boot), or nothing if it is gone or a zombie.
proc_start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    stat=${stat##*) } # the command name may hold spaces and brackets
    # shellcheck disable=SC2086  # splitting into fields is the point
    set -- $stat
    [[ $1 == Z || $1 == X ]] || printf '%s\n' "${20}"
}

pid_write() { # FILE PID
    printf '%s\n%s\n' "$2" "$(proc_start_time "$2")" >"$1"
}

# Prints the pid if the process of that pid file is running.
pid_running() { # FILE
    local pid='' start=''
    [[ -f $1 ]] || return 1
    { read -r pid && read -r start; } <"$1" || true
    [[ -n $pid && -n $start && $(proc_start_time "$pid") == "$start" ]] || return 1
    printf '%s\n' "$pid"
}

# Sends SIGNAL and waits up to SECONDS, then SIGKILL. Success if it is gone.
pid_stop() { # FILE SIGNAL SECONDS
    local pid deadline
    pid=$(pid_running "$1") || { rm -f "$1"; return 0; }
    kill "-$2" "$pid" 2>/dev/null || true
    # A stopped process (a test may have paused it) acts on TERM only when continued.
    kill -CONT "$pid" 2>/dev/null || true
    deadline=$(($(now_ms) + $3 * 1000))
    while pid_running "$1" >/dev/null; do
        if (($(now_ms) > deadline)); then
            warn "process $pid did not end within $3 s: killing it"
            kill -KILL "$pid" 2>/dev/null || true
            deadline=$((deadline + 10000))
            (($(now_ms) < deadline)) || return 1
        fi
        sleep 0.05
    done
    rm -f "$1"
}

# Two free loopback ports, below the range from which the kernel takes the ports of
# outgoing connections: nobody's client socket can steal them while a server restarts.
free_ports() { # COUNT
    python3 - "$1" <<'PY'
import random, socket, sys

try:
    low = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
except OSError:
    low = 32768
if low < 12000:
    low = 65536
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(max(10000, low - 20000), low)))
        held.append(s)
    except OSError:
        s.close()
print(*(s.getsockname()[1] for s in held))
PY
}
