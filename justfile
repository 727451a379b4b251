# What one does here every day. `just` lists it.

_default:
    @just --list

# Types, format and lints, as .ci/run checks them
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Everything, the real backend included
test *ARGS:
    cargo test --workspace {{ARGS}}

# The whole pipe on a real model
demo:
    examples/demo.sh

# Figures beside those of a reference, in one run
bench:
    benches/run.sh

# Arbitrary bytes through correlate, for so many seconds
fuzz SECONDS="60":
    fuzz/run.sh {{SECONDS}}

# Type-check the macOS code, on any system
check-macos:
    .ci/check-macos

# Write golden files, schemas and generated tables anew; read the diff
bless:
    BLESS=1 cargo test -p records -p reportgen
    BLESS=1 cargo test -p runner --test schema
    git diff --stat
