#!/bin/sh
# Puts a real backend and a real model below target/backends, once: llama.cpp's
# server and SmolLM2-135M, both from PyPI. A second call finds them and does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
backends=$root/target/backends
requirements=$here/requirements-llama.txt
venv=$backends/llama
model=SmolLM2-135M-Instruct.Q4_1.gguf

if cmp -s "$requirements" "$venv/requirements.txt" && [ -s "$backends/models/$model" ]; then
    exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "setup.sh: needs Python 3 (set PYTHON to name another one)" >&2
    exit 1
}

echo "setup.sh: putting llama.cpp and SmolLM2-135M into target/backends (about 120 MB, once)" >&2
mkdir -p "$backends/models"
# Built beside its place and moved there whole: a download that breaks off, or two
# calls at once, leave no half environment behind.
fresh=$(mktemp -d "$backends/llama.XXXXXX")
trap 'rm -rf "$fresh"' EXIT INT TERM
"$python" -m venv "$fresh"
"$fresh/bin/python" -m pip install --disable-pip-version-check --no-deps -r "$requirements" >&2
cp "$requirements" "$fresh/requirements.txt"
rm -rf "$venv"
mv "$fresh" "$venv"

gguf=$(find "$venv" -name "$model" -print | head -n 1)
[ -n "$gguf" ] || {
    echo "setup.sh: $model is not in the packages of $requirements" >&2
    exit 1
}
ln -sf "../llama${gguf#"$venv"}" "$backends/models/$model"
