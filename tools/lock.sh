#!/bin/sh
# Write requirements.lock: the exact versions that satisfy pyproject.toml, with checksums, for every
# Python and platform. Called by `make lock`; ARGS=--upgrade takes the newest of everything.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --custom-compile-command "make lock" \
    --group dev --extra cluster "$@" pyproject.toml --output-file requirements.lock
