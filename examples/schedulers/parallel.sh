#!/bin/sh
# A suite in four shares at once on this machine, or over ssh on those of $HOSTS:
#   examples/schedulers/parallel.sh suite.toml
# GNU parallel sets PARALLEL_SEQ (1 to 4) for each job; the runner takes it for --shard
# auto/4. Shares on one machine share its memory, too: that is for cases which attach to
# servers elsewhere, or run commands. What is timed runs alone.
set -eu
suite=${1:?usage: parallel.sh SUITE [FOLDER]}
results=${2:-results}
mkdir -p "$results"
seq 4 | parallel --jobs 4 --halt never ${HOSTS:+--sshlogin "$HOSTS" --workdir .} \
    runner "$suite" --shard auto/4 -o "$results/{}.jsonl"
