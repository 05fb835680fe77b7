#!/bin/sh
# Make .venv contain exactly the packages of requirements.lock, and this project, editable.
# Finds a Python 3.11 to 3.14 (PYTHON=... chooses it) and installs its venv package on Debian.
# Called by `make setup`; does nothing when nothing changed.
set -eu
cd "$(dirname "$0")/.."
. tools/lib.sh

stamp=.venv/.agentaskit-sim
state="$(pwd)
$(cat requirements.lock pyproject.toml tools/setup.sh | cksum)"

suitable() {
    "$1" -c '
import sys, sysconfig
supported = (3, 11) <= sys.version_info[:2] <= (3, 14) and sys.implementation.name == "cpython"
raise SystemExit(not supported or bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' 2>/dev/null
}

# Set `python` to the first suitable interpreter.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        suitable "$PYTHON" || give_up "PYTHON must be a CPython 3.11 to 3.14, got $PYTHON"
        python=$PYTHON
        return
    fi
    for python in python3 python3.14 python3.13 python3.12 python3.11 python \
        /usr/bin/python3 /opt/homebrew/bin/python3 \
        "$HOME"/.pyenv/versions/3.1[1-4].*/bin/python3; do
        suitable "$python" && return
    done
    python=
    if have uv; then python=$(uv python find '>=3.11,<3.15' 2>/dev/null) || python=; fi
    [ -n "$python" ]
}

install_python() {
    if have apt-get && can_be_root; then
        apt_update
        for minor in 13 12 14 11; do
            if [ -n "$(apt_candidate "python3.$minor-venv")" ]; then
                apt_install "python3.$minor-venv" && find_python && return
            fi
        done
    elif have brew; then
        say "installing python@3.13 with brew"
        brew install --quiet python@3.13 && find_python && return
    fi
    give_up "no Python 3.11 to 3.14 was found; install one, then run make again:" \
        "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
        "  macOS:           brew install python@3.13" \
        "  elsewhere:       PYTHON=/path/to/python3.13 make setup"
}

# Debian ships venv without the module it needs, in a package of its own.
make_environment() {
    rm -rf .venv
    say "Python $("$python" -c 'import platform; print(platform.python_version())') ($python)"
    if have uv; then
        uv venv --quiet --python "$python" .venv
        return
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if have apt-get && can_be_root; then
            apt_update
            apt_install "$package" || true
        fi
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            give_up "$python cannot make environments; run: sudo apt-get install $package" \
                "then run make again"
    fi
    "$python" -m venv .venv
}

# Set `uv` to a uv from PATH, else to the version of the lock, installed into .venv.
find_uv() {
    uv=$(command -v uv) && return
    uv=.venv/bin/uv
    [ -x "$uv" ] && return
    awk '/^[a-z]/ { is_uv = /^uv==/ } is_uv' requirements.lock >.venv/uv.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        --only-binary :all: -r .venv/uv.lock
}

environment_works() { [ -x .venv/bin/python ] && suitable .venv/bin/python; }

main() {
    if environment_works && [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
        return
    fi
    # An environment that moved with its folder has scripts that point to the old folder.
    if ! environment_works || { [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$(pwd)" ]; }; then
        find_python || install_python
        make_environment
    fi
    rm -f "$stamp"
    find_uv
    say "$(grep -c '^[a-z]' requirements.lock) locked packages into .venv"
    "$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
    printf '%s\n' "$state" >"$stamp"
}

main
