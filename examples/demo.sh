#!/usr/bin/env bash
# The whole pipe on a real model: builds the tools, puts a real backend in place
# (once, below target/), runs examples/smoke.toml and shows what came of it. With --all
# also Apple's MLX server, Whisper and an OCR model, and examples/reference.toml: text,
# pictures and sound, 33 cells, about 1.5 GB to fetch.
# Ctrl-C ends the run; what was measured until then is still joined and reported.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    sed -n '2,7s/^# //p' "$0"
    echo "usage: examples/demo.sh [--all] [SUITE, by default examples/smoke.toml]"
    exit 0
fi
backends=llama default=examples/smoke.toml
if [[ ${1:-} == --all ]]; then
    backends=all default=examples/reference.toml
    shift
fi
suite=${1:-}
[[ -z $suite || $suite == /* ]] || suite=$PWD/$suite
cd "$root"
out=$root/target/demo
whole_pipe "$backends" "${suite:-$default}" "$out"

step "the report's summary"
sed -n '/^# /,/^## Test summary/{/^## Test summary/!p}' "$out/report.md"
the_files "$out"
exit "$code"
