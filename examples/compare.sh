#!/usr/bin/env bash
# Two real engines with the same real model, measured the same way: builds the tools, puts
# llama.cpp and Apple's MLX server in place (once, below target/), runs
# examples/compare.toml and shows the comparison and the baselines.
# About three minutes on two cores after the first time. Ctrl-C ends the run; what was
# measured until then is still reported.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
    sed -n '2,6s/^# //p' "$0"
    echo "usage: examples/compare.sh [SUITE, by default examples/compare.toml]"
    exit 0
fi
suite=${1:-}
[[ -z $suite || $suite == /* ]] || suite=$PWD/$suite
cd "$root"
suite=${suite:-examples/compare.toml}
out=$root/target/compare
built=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release

step() { printf '\n== %s\n' "$*" >&2; }

step "building the tools (release)"
cargo build --release --workspace --bins
PATH=$built:$PATH

step "putting real backends and a real model in place"
examples/backends/setup.sh mlx

step "memmon -- runner $suite | correlate | reportgen"
mkdir -p "$out"
# Ctrl-C goes to every program of the pipe. This script waits for them: the runner
# stops its backend, and the filters end at the end of their input.
trap ': interrupted' INT
code=0
memmon -- runner "$suite" | correlate | tee -i "$out/run.jsonl" | reportgen > "$out/report.md" || code=$?
memplot "$out/run.jsonl" -o "$out/timeline.html"
trap - INT

step "the comparison and the baselines"
sed -n '/^## Backends compared/,/^## [^B]/{/^## [^B]/!p}' "$out/report.md"
step "the files"
printf '%s\n' "$out/run.jsonl" "$out/report.md" "$out/timeline.html"
exit "$code"
