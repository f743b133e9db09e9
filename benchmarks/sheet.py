"""`python -m benchmarks.sheet OUT.png`: photos beside their best crops, to look at."""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.photos import photos
from model.faces import FaceFinder
from model.predict import Scorer
from worker.crop import best_crop
from worker.framing import parse_aspects
from worker.settings import PACKAGED_WEIGHTS

CELL = 240
"""Pixels of a photo's and of a crop's place on the sheet."""

COLUMNS = 4


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sheet", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=Path, help="folder of photos; else drawn from the astronaut")
    parser.add_argument("--with-room", action="store_true", help="give the folder's photos room around them")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--aspect", default="1:1")
    parser.add_argument("--weights", type=Path, default=PACKAGED_WEIGHTS)
    options = parser.parse_args()
    scorer, finder = Scorer.load(options.weights, "cpu"), FaceFinder()
    pairs = []
    for photo in photos(options.photos, options.count, options.with_room):
        if faces := finder.find(photo):
            crop = best_crop(scorer, photo, faces[:1], parse_aspects(options.aspect))
            pairs.append(_pair(photo, crop.box))
    _sheet(pairs).save(options.out)


def _pair(photo: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    crop = photo.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))
    marked = photo.copy()
    ImageDraw.Draw(marked).rectangle(box, outline=(255, 60, 60), width=max(2, photo.width // 150))
    pair = Image.new("RGB", (2 * CELL, CELL), "white")
    for place, picture in ((0, marked), (CELL, crop)):
        picture.thumbnail((CELL - 8, CELL - 8))
        pair.paste(picture, (place + 4, 4))
    return pair


def _sheet(pairs: list[Image.Image]) -> Image.Image:
    rows = -(-max(len(pairs), 1) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * 2 * CELL, rows * CELL), "white")
    for number, pair in enumerate(pairs):
        sheet.paste(pair, (number % COLUMNS * 2 * CELL, number // COLUMNS * CELL))
    return sheet


if __name__ == "__main__":
    main()
