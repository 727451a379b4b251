"""Has espeak-ng speak sentences that are to be understood, and says what they are.

Writes NAME.wav with NAME.txt beside it, and one of them as FLAC and MP3 too. The
sentences are those of which Whisper base gets every word of this voice.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import av

SENTENCES = {
    "weather": "The weather in London is cold and rainy today.",
    "house": "My name is Ada and I live in a small house near the river.",
    "market": "We went to the market to buy apples, bread and milk.",
    "garden": "The children are playing football in the garden.",
    "tea": "I would like a cup of tea with milk and sugar.",
    "learn": "Today is a good day to learn something new.",
}
VOICE, WORDS_PER_MINUTE, GAP_10_MS = "en-us", 150, 2
# Whisper is trained on this.
RATE = 16_000


def speak(sentence: str, file: Path) -> None:
    command = ["espeak-ng", "-v", VOICE, "-s", str(WORDS_PER_MINUTE), "-g", str(GAP_10_MS)]
    subprocess.run([*command, "-w", str(file), sentence], check=True)


def encode(source: Path, target: Path, codec: str) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w") as write:
        stream = write.add_stream(codec, rate=RATE, layout="mono")
        resampler = av.AudioResampler(stream.format, layout="mono", rate=RATE)
        frames = [out for frame in read.decode(audio=0) for out in resampler.resample(frame)]
        for frame in [*frames, *resampler.resample(None)]:
            write.mux(stream.encode(frame))
        write.mux(stream.encode(None))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="folder to write")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, sentence in SENTENCES.items():
        speak(sentence, folder / f"{name}.wav")
        (folder / f"{name}.txt").write_text(sentence + "\n", encoding="utf-8")
    encode(folder / "garden.wav", folder / "garden.flac", "flac")
    encode(folder / "garden.wav", folder / "garden.mp3", "mp3")
    return 0


if __name__ == "__main__":
    sys.exit(main())
