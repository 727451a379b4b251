"""Draws pictures with text that is to be read, and says what stands in them.

Writes NAME.png (one as JPEG) with NAME.txt beside it. The words are ones of which
RapidOCR gets every letter and every gap.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

CONTRACT = ["CONTRACT", "Landlord: Ada Lovelace", "Tenant: Charles Babbage", "London, 10 December 1842"]
CHESS = ["White: Kg1 Qd1 Ra1 Nf3", "Black: Kg8 Qd8 Rf8 Bc5", "CHECK"]


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def page(lines: list[str], width: int, size: int) -> Image.Image:
    """Lines of text on white, as on a page."""
    picture = Image.new("RGB", (width, (len(lines) + 1) * 2 * size), "white")
    draw = ImageDraw.Draw(picture)
    for n, line in enumerate(lines):
        draw.text((size, size + 2 * n * size), line, fill="black", font=font(size))
    return picture


def chart() -> Image.Image:
    """A bar chart with a title and named axes."""
    picture = Image.new("RGB", (900, 600), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((250, 20), "Tokens per second", fill="black", font=font(36))
    draw.line([(100, 90), (100, 500), (850, 500)], fill="black", width=3)
    for n, (name, height) in enumerate([("Monday", 180), ("Tuesday", 300), ("Friday", 380)]):
        left = 160 + n * 230
        draw.rectangle([left, 500 - height, left + 120, 498], fill="steelblue")
        draw.text((left - 5, 520), name, fill="black", font=font(32))
    return picture


def mug() -> Image.Image:
    """A mug with a word on it."""
    picture = Image.new("RGB", (500, 400), "beige")
    draw = ImageDraw.Draw(picture)
    draw.arc([310, 120, 440, 290], 270, 90, fill="firebrick", width=28)
    draw.rounded_rectangle([90, 70, 360, 350], radius=24, fill="firebrick")
    draw.text((135, 165), "BLUE", fill="white", font=font(72))
    return picture


PICTURES = {
    "contract.png": (lambda: page(CONTRACT, 900, 40), CONTRACT),
    "chart.png": (chart, ["Tokens per second", "Monday", "Tuesday", "Friday"]),
    "mug.jpg": (mug, ["BLUE"]),
    "chess.png": (lambda: page(CHESS, 800, 36), CHESS),
    "large.png": (lambda: page(["FOUR THOUSAND PIXELS"], 4000, 240), ["FOUR THOUSAND PIXELS"]),
    "blank.png": (lambda: Image.new("RGB", (200, 200), "white"), []),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("folder", type=Path, help="folder to write")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, (draw, lines) in PICTURES.items():
        draw().save(folder / name)
        text = "".join(f"{line}\n" for line in lines)
        (folder / name).with_suffix(".txt").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
