#!/usr/bin/env bash
# Fuzzes correlate for so many seconds (60): `just fuzz 3600` before a release. Needs a
# C++ compiler for libFuzzer, and no nightly Rust: these flags are what cargo-fuzz sets.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
work=../target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p "$work/corpus"
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
cargo build --release --target "$host" --target-dir "$work"
# A run that grows beyond 512 MB, or takes 10 s for one input, has found something.
exec "$work/$host/release/correlate" "$work/corpus" seeds -dict=keys.dict -max_len=8192 \
    -max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -artifact_prefix="$work/" \
    -close_fd_mask=2 -verbosity=0 -print_final_stats=1
