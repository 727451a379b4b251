#!/usr/bin/env bash
# The whole pipe on a real model: builds the tools, puts a real backend in place
# (once, below target/), runs examples/smoke.toml and shows what came of it. With --all
# also Apple's MLX server, Whisper and an OCR model, and examples/reference.toml: text,
# pictures and sound, 33 cells, about 1.5 GB to fetch.
# Ctrl-C ends the run; what was measured until then is still joined and reported.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

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
suite=${suite:-$default}
out=$root/target/demo
built=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release

step() { printf '\n== %s\n' "$*" >&2; }

step "building the tools (release)"
cargo build --release --workspace --bins
PATH=$built:$PATH

step "putting real backends and real models in place"
examples/backends/setup.sh "$backends"

step "memmon -- runner $suite | correlate | reportgen"
mkdir -p "$out"
# Ctrl-C goes to every program of the pipe. This script waits for them: the runner
# stops its backend, and the filters end at the end of their input.
trap ': interrupted' INT
code=0
memmon -- runner "$suite" | correlate | tee -i "$out/run.jsonl" | reportgen > "$out/report.md" || code=$?
memplot "$out/run.jsonl" -o "$out/timeline.html"
trap - INT

step "the report's summary"
sed -n '/^# /,/^## Test summary/{/^## Test summary/!p}' "$out/report.md"
step "the files"
printf '%s\n' "$out/run.jsonl" "$out/report.md" "$out/timeline.html"
exit "$code"
