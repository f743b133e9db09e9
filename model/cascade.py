"""MTCNN's three networks, run so that the pixels are added up once.

Zhang, Zhang, Li, Qiao 2016, arXiv:1604.02878, with the weights and the arithmetic of facenet-pytorch.
Its pyramid levels and its candidates' patches are means over whole-pixel boxes. Here all of them are
read from one summed-area table, all patches at once, where facenet-pytorch walks over the photo's
pixels for each; and the networks see channels-last tensors, whose max-pools are vectorised. What is
found is the same, up to rounding in single precision (a test compares the two).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy, bbreg, generateBoundingBox, rerec
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torchvision.ops import nms

FACTOR = 0.709
"""Between neighbouring levels of the pyramid: half the area."""

CELL = 12
"""Side in pixels of what the first network sees at each place."""

THRESHOLDS = (0.6, 0.7, 0.7)
"""Probabilities that carry a candidate past each network."""

MOST_AT_ONCE = 512
"""Candidates a pass; bounds memory on photos full of texture."""


@dataclass(frozen=True)
class Found:
    """Faces of one photo; n of them."""

    boxes: NDArray[np.float64]
    """Left, top, right, bottom in pixels. Shape (n, 4)."""
    probabilities: NDArray[np.float64]
    """Shape (n,)."""
    landmarks: NDArray[np.float64]
    """Eyes, nose, mouth corners as x and y in pixels. Shape (n, 5, 2)."""


NOTHING = Found(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))


class Cascade:
    """The three networks, loaded once; safe to call from several threads."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = torch.device(device)
        self._first, self._second, self._third = (
            network().eval().to(self._device, memory_format=torch.channels_last)
            for network in (PNet, RNet, ONet)
        )

    @torch.inference_mode()
    def detect(self, photo: Image.Image, smallest: int) -> Found:
        """All faces of an RGB photo from `smallest` pixels up, in no particular order."""
        if min(photo.size) < smallest:
            return NOTHING
        sums = _Sums(photo, self._device)
        boxes = self._proposed(sums, smallest)
        if len(boxes):
            boxes = self._refined(sums, boxes)
        return self._located(sums, boxes) if len(boxes) else NOTHING

    def _proposed(self, sums: _Sums, smallest: int) -> Tensor:
        levels = [self._level(sums, scale) for scale in _scales(sums, smallest)]
        boxes = torch.cat(levels)
        boxes = boxes[nms(boxes[:, :4], boxes[:, 4], 0.7)]
        sides = boxes[:, 2:4] - boxes[:, :2]
        corners = boxes[:, :4] + boxes[:, 5:] * sides.repeat(1, 2)
        return rerec(torch.cat([corners, boxes[:, 4:5]], dim=1))  # type: ignore[no-any-return]

    def _level(self, sums: _Sums, scale: float) -> Tensor:
        moves, probabilities = self._first(
            sums.level(int(sums.height * scale + 1), int(sums.width * scale + 1))
        )
        boxes, _ = generateBoundingBox(moves, probabilities[:, 1], scale, THRESHOLDS[0])
        return boxes[nms(boxes[:, :4], boxes[:, 4], 0.5)]  # type: ignore[no-any-return]

    def _refined(self, sums: _Sums, boxes: Tensor) -> Tensor:
        boxes, patches = sums.patches(boxes, 24)
        moves, probabilities = _passed(self._second, patches)
        sure = probabilities[:, 1] > THRESHOLDS[1]
        boxes, moves = torch.cat([boxes[sure, :4], probabilities[sure, 1:]], dim=1), moves[sure]
        picked = nms(boxes[:, :4], boxes[:, 4], 0.7)
        return rerec(bbreg(boxes[picked], moves[picked]))  # type: ignore[no-any-return]

    def _located(self, sums: _Sums, boxes: Tensor) -> Found:
        boxes, patches = sums.patches(boxes, 48)
        moves, points, probabilities = _passed(self._third, patches)
        sure = probabilities[:, 1] > THRESHOLDS[2]
        boxes, moves = torch.cat([boxes[sure, :4], probabilities[sure, 1:]], dim=1), moves[sure]
        sides = boxes[:, 2:4] - boxes[:, :2] + 1
        shares = points[sure].view(-1, 2, 5).transpose(1, 2)
        marks = shares * sides[:, None] + boxes[:, None, :2] - 1
        boxes = bbreg(boxes, moves)
        same_photo = torch.zeros(len(boxes), dtype=torch.int64, device=boxes.device)
        picked = batched_nms_numpy(boxes[:, :4], boxes[:, 4], same_photo, 0.7, "Min")
        told = boxes[picked].cpu().double().numpy()
        return Found(told[:, :4], told[:, 4], marks[picked].cpu().double().numpy())


class _Sums:
    """A photo's summed-area table: the sum over any box of pixels from four of its values."""

    def __init__(self, photo: Image.Image, device: torch.device) -> None:
        self.width, self.height = photo.size
        # int32 holds 255 times 8 million pixels.
        table = torch.from_numpy(cv2.integral(np.asarray(photo)))
        self._table = table.to(device, non_blocking=True)
        self._device = device

    def level(self, height: int, width: int) -> Tensor:
        """The whole photo at a size in pixels, as the networks want it. Shape (1, 3, height, width)."""
        top, bottom = _bins(torch.tensor(self.height), height, self._device)
        left, right = _bins(torch.tensor(self.width), width, self._device)
        upper, lower = self._table.index_select(0, top), self._table.index_select(0, bottom)
        totals = lower.index_select(1, right) + upper.index_select(1, left)
        totals -= lower.index_select(1, left) + upper.index_select(1, right)
        return _input(totals[None], torch.outer(bottom - top, right - left)[None])

    def patches(self, boxes: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """What lies in each box, at `size` pixels a side; and the boxes, without those off the photo.

        Shape: (n, at least 4) -> (n, the same), (n, 3, size, size).
        """
        edges = torch.tensor([self.width, self.height], device=self._device)
        first = (boxes[:, :2].trunc().long() - 1).clamp(min=0)
        last = torch.minimum(boxes[:, 2:4].trunc().long(), edges)
        there = (last > first).all(dim=1)
        boxes, first, sides = boxes[there], first[there], (last - first)[there]
        left, right = (first[:, :1] + part for part in _bins(sides[:, :1], size, self._device))
        top, bottom = (first[:, 1:] + part for part in _bins(sides[:, 1:], size, self._device))
        totals = self._at(bottom, right) + self._at(top, left) - self._at(bottom, left) - self._at(top, right)
        return boxes, _input(totals, (bottom - top)[:, :, None] * (right - left)[:, None, :])

    def _at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Shape: (n, down), (n, across) -> (n, down, across, 3)."""
        return self._table[rows[:, :, None], columns[:, None, :]]


def _bins(side: Tensor, count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each of `count` equal parts of a side begins and ends, in whole pixels, as
    `adaptive_avg_pool2d` cuts it.
    """
    parts = torch.arange(count, device=device)
    side = side.to(device)
    return parts * side // count, ((parts + 1) * side + count - 1) // count


def _input(totals: Tensor, pixels: Tensor) -> Tensor:
    means = totals.float() / pixels[..., None]
    # Channels-last in memory, by how the table lies.
    return means.sub_(127.5).mul_(0.0078125).permute(0, 3, 1, 2)


def _passed(network: nn.Module, patches: Tensor) -> tuple[Tensor, ...]:
    passes = [network(some) for some in torch.split(patches, MOST_AT_ONCE)]
    return tuple(torch.cat(parts) for parts in zip(*passes, strict=True))


def _scales(sums: _Sums, smallest: int) -> list[float]:
    scale = CELL / smallest
    shorter = min(sums.height, sums.width)
    scales = []
    while shorter * scale >= CELL:
        scales.append(scale)
        scale *= FACTOR
    return scales
