# Sourced by the scripts of this folder: messages, comparison of versions, installation.
# shellcheck shell=sh

# An interrupted script still runs its EXIT trap.
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf 'setup: %s\n' "$*"; }

# Print an error and what to do, one argument per line, and exit with status 3: nothing can run.
give_up() {
    printf 'setup: %s\n' "$@" >&2
    exit 3
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least 2.42.0 2.42: the first version is the second or a later one (major and minor count).
at_least() {
    awk -v have="$1" -v want="$2" 'BEGIN {
        split(have, h, "[^0-9]+"); split(want, w, "[^0-9]+")
        exit !(h[1] > w[1] || (h[1] + 0 == w[1] + 0 && h[2] + 0 >= w[2] + 0))
    }' </dev/null
}

# Root, or a sudo that needs no password, or a sudo and a terminal to type the password at.
can_be_root() {
    [ "$(id -u)" -eq 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

as_root() {
    can_be_root || return 1
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Package lists may be absent (a fresh container) or partly unreachable: the installation decides.
apt_update() {
    as_root apt-get update -qq >/dev/null 2>&1 || say "apt-get update did not succeed; continuing"
}

# Prints apt's output only when it fails. Waits for the lock: a new machine may be upgrading itself.
apt_install() {
    say "installing $* with apt-get"
    output=$(as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
        apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "$@" \
        2>&1 </dev/null) && return
    printf '%s\n' "$output" >&2
    return 1
}

# The version that apt would install of a package, without its epoch; nothing when it has none.
apt_candidate() {
    apt-cache policy "$1" 2>/dev/null |
        sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9].*\)$/\2/p'
}
