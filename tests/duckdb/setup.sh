#!/bin/sh
# Puts DuckDB, from PyPI, into target/recipes, once: the tests of docs/recipes.md run
# its queries there. A second call finds it and does nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
requirements=$here/requirements.txt
venv=$root/target/recipes

if cmp -s "$requirements" "$venv/requirements.txt"; then
    exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || {
    echo "setup.sh: needs Python 3 (set PYTHON to name another one)" >&2
    exit 1
}

echo "setup.sh: putting DuckDB into target/recipes (about 20 MB, once)" >&2
mkdir -p "$root/target"
# Built beside its place and moved there whole: a download that breaks off leaves no
# half environment behind.
fresh=$(mktemp -d "$root/target/recipes.XXXXXX")
trap 'rm -rf "$fresh"' EXIT INT TERM
"$python" -m venv "$fresh"
"$fresh/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements" >&2
cp "$requirements" "$fresh/requirements.txt"
rm -rf "$venv"
mv "$fresh" "$venv"
