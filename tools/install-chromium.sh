#!/bin/sh
# Make sure that there is a browser for the browser tests (tests/browser). Installs Debian's package
# chromium as root or with sudo, and says so; where it cannot, says what to do and fails, and the
# tests say that they were left out. Called by `make browser`, and by `make test` where CI is set.
set -eu
cd "$(dirname "$0")/.."
. tools/lib.sh

have_browser() { .venv/bin/python -m tests.browser.chromium >/dev/null; }

from_debian() {
    have apt-get && can_be_root || return 1
    apt_update
    # Ubuntu's package of this name installs no program but a snap.
    [ -n "$(apt_candidate chromium)" ] || return 1
    apt_install chromium
}

from_homebrew() {
    have brew || return 1
    say "installing chromium with brew"
    brew install --quiet --cask chromium
}

main() {
    have_browser && return
    from_debian && have_browser && return
    from_homebrew && have_browser && return
    give_up "no browser for the browser tests was found, and none could be installed. Either:" \
        "  Debian:     sudo apt-get install chromium" \
        "  elsewhere:  install Chrome or Chromium, or let AGENTASKIT_SIM_BROWSER name one"
}

main
