#!/usr/bin/env bash
# Figures beside those of a reference, on this machine, in one run. Ratios are what
# counts; times are of this machine and this moment. SAMPLES and TESTS set the size.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --workspace --bins
cargo build --release -p probe -p pipe -p runner --examples
bench=target/bench
if ! cmp -s benches/requirements.txt "$bench/requirements.txt"; then
    python3 -m venv "$bench"
    "$bench/bin/python" -m pip install -q --disable-pip-version-check -r benches/requirements.txt
    cp benches/requirements.txt "$bench/requirements.txt"
fi
exec "$bench/bin/python" benches/bench.py "$@"
