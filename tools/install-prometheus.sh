#!/bin/sh
# Make sure that recent versions of prometheus, promtool, alertmanager and amtool are installed, on
# PATH or in .tools/bin. Install them from Debian's packages (as root or with sudo), with brew, or
# from the pinned release into .tools/bin; print what to do if none of these works. Called by
# `make setup`. It leaves nothing running: the services of packages that it installs are disabled.
set -eu
cd "$(dirname "$0")/.."
. tools/lib.sh

prometheus_oldest=2.42
alertmanager_oldest=0.25
prometheus_release=3.5.0
alertmanager_release=0.28.1
releases=https://github.com/prometheus
bin="$(pwd)/.tools/bin"
PATH="$bin:$PATH"
export PATH

# The sha256 of a release archive; the other platforms are checked against the release's own list.
pinned_sum() {
    case $1 in
        prometheus-3.5.0.linux-amd64.tar.gz)
            echo e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a ;;
        prometheus-3.5.0.linux-arm64.tar.gz)
            echo 173389cc42bf09c4e6e54cb53fa07a5a835d7c261e14775d2183181d6e385d1c ;;
        alertmanager-0.28.1.linux-amd64.tar.gz)
            echo 5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311 ;;
        alertmanager-0.28.1.linux-arm64.tar.gz)
            echo d8832540e5b9f613d2fd759e31d603173b9c61cc7bb5e3bc7ae2f12038b1ce4f ;;
    esac
}

version_of() { "$1" --version 2>&1 | sed -n '1s/^[^,]*, version \([0-9][0-9.]*\).*/\1/p'; }

new_enough() { have "$1" && at_least "$(version_of "$1")" "$2"; }

# Debian calls the server prometheus-alertmanager.
have_prometheus() { new_enough prometheus "$prometheus_oldest" && have promtool; }
have_alertmanager() {
    have amtool && { new_enough alertmanager "$alertmanager_oldest" ||
        new_enough prometheus-alertmanager "$alertmanager_oldest"; }
}
have_all() { have_prometheus && have_alertmanager; }

# Debian starts the services that it installs; this policy forbids it during the installation.
forbid_services() {
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    forbidden=yes
}
allow_services() {
    if [ -n "${forbidden:-}" ]; then as_root rm -f "$policy"; fi
    forbidden=
}

from_debian() {
    have apt-get && can_be_root || return 1
    apt_update
    packages=''
    if ! have_prometheus && at_least "$(apt_candidate prometheus)" "$prometheus_oldest"; then
        packages=prometheus
    fi
    if ! have_alertmanager &&
        at_least "$(apt_candidate prometheus-alertmanager)" "$alertmanager_oldest"; then
        packages="$packages prometheus-alertmanager"
    fi
    [ -n "$packages" ] || return 1
    trap allow_services EXIT
    forbid_services
    # shellcheck disable=SC2086 # a list of package names
    apt_install $packages || { allow_services; return 1; }
    allow_services
    if have systemctl && [ -d /run/systemd/system ]; then
        # shellcheck disable=SC2086 # services are named as their packages are
        as_root systemctl disable --quiet --now $packages || true
    fi
}

from_homebrew() {
    have brew || return 1
    have_prometheus || brew install --quiet prometheus || true
    have_alertmanager || brew install --quiet alertmanager || true
}

platform() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo linux-amd64 ;;
        Linux-aarch64 | Linux-arm64) echo linux-arm64 ;;
        Darwin-x86_64) echo darwin-amd64 ;;
        Darwin-arm64) echo darwin-arm64 ;;
        *) return 1 ;;
    esac
}

fetch() {
    if have curl; then
        curl --fail --silent --show-error --location --proto '=https' --connect-timeout 20 \
            --retry 2 --output "$2" "$1"
    elif have wget; then
        wget --quiet --https-only --timeout=20 --tries=3 --output-document="$2" "$1"
    else
        say "nothing can be downloaded: neither curl nor wget is installed" >&2
        return 1
    fi
}

sum_of() {
    if have sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

# release prometheus 3.5.0 prometheus promtool: download, check, and put the two programs in place.
release() {
    name=$1 version=$2
    archive="$name-$version.$(platform).tar.gz"
    base="$releases/$name/releases/download/v$version"
    say "downloading $archive"
    fetch "$base/$archive" "$scratch/$archive" || return 1
    expected_sum=$(pinned_sum "$archive")
    if [ -z "$expected_sum" ]; then
        say "no checksum is pinned for $archive; using the release's sha256sums.txt"
        fetch "$base/sha256sums.txt" "$scratch/sums" || return 1
        expected_sum=$(awk -v file="$archive" '$2 == file { print $1 }' "$scratch/sums")
    fi
    actual_sum=$(sum_of "$scratch/$archive")
    [ "$actual_sum" = "$expected_sum" ] ||
        give_up "$archive must have sha256 ${expected_sum:-in sha256sums.txt}, got $actual_sum" \
            "nothing was installed; the download was damaged or tampered with"
    tar -xzf "$scratch/$archive" -C "$scratch" || return 1
    for program in "$3" "$4"; do
        mv "$scratch/$name-$version.$(platform)/$program" "$bin/$program" || return 1
    done
}

from_release() {
    platform >/dev/null || return 1
    mkdir -p "$bin"
    scratch=$(mktemp -d "$bin/../download.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    have_prometheus || release prometheus "$prometheus_release" prometheus promtool || return 1
    have_alertmanager || release alertmanager "$alertmanager_release" alertmanager amtool
}

main() {
    have_all && return
    from_debian && have_all && return
    from_homebrew && have_all && return
    from_release && have_all && return
    give_up "Prometheus $prometheus_oldest with promtool and Alertmanager $alertmanager_oldest with" \
        "amtool, or later ones, are needed and could not be installed. Do one of these:" \
        "  Debian, Ubuntu:  sudo apt-get install prometheus prometheus-alertmanager" \
        "  macOS:           brew install prometheus alertmanager" \
        "  elsewhere:       put the four programs of $releases (releases) into $bin" \
        "then run make again"
}

main
