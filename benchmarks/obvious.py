"""The baseline: the libraries put together as anyone would, without a thought about speed."""

from __future__ import annotations

import io

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image, ImageOps

from model.network import INPUT_SIZE, TinyDarknet, normalise

Edges = tuple[int, int, int, int]
"""Left, top, right, bottom."""


class Obvious:
    """MTCNN with its defaults on the whole photo, Pillow's crop and resize, a forward pass per crop."""

    def __init__(self) -> None:
        self._finder = MTCNN(keep_all=True)
        self._network = TinyDarknet().eval()

    def score(self, data: bytes) -> list[float]:
        """Bytes to a score for each face."""
        return [score for _, score in self._faces(data)[1]]

    def answer(self, data: bytes, windows: int = 0) -> bytes | None:
        """Bytes to a picture as JPEG: the first face's, or the best of so many random windows around it."""
        photo, found = self._faces(data)
        if not found:
            return None
        face, _ = found[0]
        boxes = [face, *(_around(face, photo.size, seed) for seed in range(windows))]
        best = max(boxes, key=lambda box: self._scored(photo, box)) if windows else face
        file = io.BytesIO()
        photo.crop(best).save(file, "JPEG")
        return file.getvalue()

    def _faces(self, data: bytes) -> tuple[Image.Image, list[tuple[Edges, float]]]:
        photo = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        boxes, _ = self._finder.detect(photo)
        faces = [] if boxes is None else [_whole_pixels(*box) for box in boxes.tolist()]
        return photo, [(face, self._scored(photo, face)) for face in faces]

    def _scored(self, photo: Image.Image, box: Edges) -> float:
        picture = photo.crop(box).resize((INPUT_SIZE, INPUT_SIZE))
        pixels = normalise(torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None])
        with torch.no_grad():
            return float(self._network(pixels))


def _around(face: Edges, photo: tuple[int, int], seed: int) -> Edges:
    """A random square that holds the face and lies on the photo, as far as that can be."""
    chance = np.random.default_rng(seed)
    left, top, right, bottom = face
    least, most = max(right - left, bottom - top), min(photo)
    side = int(chance.uniform(min(least, most), most))
    x, y = (
        int(chance.uniform(max(0, far - side), max(0, min(near, length - side)) + 1))
        for near, far, length in ((left, right, photo[0]), (top, bottom, photo[1]))
    )
    return x, y, x + side, y + side


def _whole_pixels(left: float, top: float, right: float, bottom: float) -> Edges:
    return round(left), round(top), round(right), round(bottom)
