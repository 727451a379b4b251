# What demo.sh and compare.sh share. To be sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

step() { printf '\n== %s\n' "$*" >&2; }

# whole_pipe BACKENDS SUITE OUT: builds the tools, puts real backends and real models in
# place (once, below target/) and runs SUITE through the whole pipe. A stream, a report and
# a timeline are left in OUT, and what the pipe returned in $code.
whole_pipe() {
    local backends=$1 suite=$2 out=$3 built
    code=0

    step "building the tools (release)"
    cargo build --release --workspace --bins
    built=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release
    PATH=$built:$PATH

    step "putting real backends and real models in place"
    examples/backends/setup.sh "$backends"

    step "memmon -- runner $suite | correlate | reportgen"
    mkdir -p "$out"
    # Ctrl-C goes to every program of the pipe. This script waits for them: the runner
    # stops its backend, and the filters end at the end of their input.
    trap ': interrupted' INT
    memmon -- runner "$suite" | correlate | tee -i "$out/run.jsonl" | reportgen > "$out/report.md" || code=$?
    memplot "$out/run.jsonl" -o "$out/timeline.html"
    trap - INT
}

# the_files OUT: says what was left there.
the_files() {
    step "the files"
    printf '%s\n' "$1/run.jsonl" "$1/report.md" "$1/timeline.html"
}
