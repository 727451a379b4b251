#!/usr/bin/env bash
# Two real engines with the same real model, measured the same way: builds the tools, puts
# llama.cpp and Apple's MLX server in place (once, below target/), runs
# examples/compare.toml and shows the comparison and the baselines.
# About three minutes on two cores after the first time. Ctrl-C ends the run; what was
# measured until then is still reported.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    sed -n '2,6s/^# //p' "$0"
    echo "usage: examples/compare.sh [SUITE, by default examples/compare.toml]"
    exit 0
fi
suite=${1:-}
[[ -z $suite || $suite == /* ]] || suite=$PWD/$suite
cd "$root"
out=$root/target/compare
whole_pipe mlx "${suite:-examples/compare.toml}" "$out"

step "the comparison and the baselines"
sed -n '/^## Backends compared/,/^## [^B]/{/^## [^B]/!p}' "$out/report.md"
the_files "$out"
exit "$code"
