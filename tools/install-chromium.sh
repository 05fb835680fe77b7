#!/bin/sh
# Make sure that there is a browser for the browser tests (tests/browser). Installs Debian's package
# chromium-headless-shell as root or with sudo, or chromium where there is none, and says so; where
# it cannot, says what to do and fails, and the tests say that they were left out. Called by
# `make browser`, and by `make test` where CI is set: there the tests are to be quick, and the
# quicker browser is installed beside another one.
set -eu
cd "$(dirname "$0")/.."
. tools/lib.sh

QUICK=chromium-headless-shell

have_browser() { .venv/bin/python -m tests.browser.chromium >/dev/null; }

have_enough() {
    if [ -n "${CI:-}" ] && [ -z "${AGENTASKIT_SIM_BROWSER:-}" ]; then have $QUICK; else have_browser; fi
}

from_debian() {
    have apt-get && can_be_root || return 1
    apt_update
    for package in $QUICK chromium; do
        # Ubuntu's package of the name chromium installs no program but a snap.
        [ -z "$(apt_candidate $package)" ] || { apt_install $package; return; }
    done
    return 1
}

from_homebrew() {
    have brew || return 1
    say "installing chromium with brew"
    brew install --quiet --cask chromium
}

main() {
    have_enough && return
    from_debian && have_browser && return
    have_browser && return
    from_homebrew && have_browser && return
    give_up "no browser for the browser tests was found, and none could be installed. Either:" \
        "  Debian:     sudo apt-get install chromium-headless-shell" \
        "  elsewhere:  install Chrome or Chromium, or let AGENTASKIT_SIM_BROWSER name one"
}

main
