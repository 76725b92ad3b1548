#!/bin/sh
# Renews the Python locks with uv, or with --check proves that no lock names a registry.
# Three locks: what pip needs to bring in uv, what runs and builds Balie, and everything.
set -eu

compile() {
    uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header "$@"
}

if [ "${1-}" != --check ]; then
    echo uv | compile - --no-annotate --output-file requirements-uv.lock
    compile pyproject.toml --extra dev --output-file requirements-dev.lock
    # The smaller lock never differs from the larger one.
    compile pyproject.toml --extra build --constraint requirements-dev.lock --no-annotate \
        --output-file requirements.lock
fi

# What npm notes of a package's funding are addresses too, but none to install from.
if grep -nE 'https?://|file:|--(extra-)?index-url|--find-links' requirements*.lock ||
    grep -nE '"resolved"|registry' web/package-lock.json; then
    echo "A lock file names an address; see above." >&2
    exit 1
fi
