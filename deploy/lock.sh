#!/bin/sh
# Writes the two lock files: hashed, and naming no registry. Needs uv on the PATH.
set -eu
cd "$(dirname "$0")/.."
ours="shared intake routing sla notify query"
without=$(for name in $ours; do printf -- '--no-emit-package deskwire-%s ' "$name"; done)
lock() {
    out=$1; shift
    # shellcheck disable=SC2086
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header --no-annotate $without "$@" pyproject.toml --output-file "$out"
    sed -i '/^# The following packages/d;/^# deskwire/d;/file:/d' "$out"
}
lock requirements.lock --group build
lock requirements-dev.lock --group build --group dev --constraints requirements.lock
