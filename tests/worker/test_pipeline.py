"""What is read faster is judged alike."""

from __future__ import annotations

import pytest
from PIL.JpegImagePlugin import JpegImageFile

from benchmarks.selfies import selfie
from model import photo as photos
from worker.score import Judge, Scored
from worker.settings import PACKAGED_WEIGHTS


@pytest.fixture(scope="module")
def real_judge() -> Judge:
    """With the weights that we ship: made-up ones move otherwise."""
    return Judge.load(PACKAGED_WEIGHTS, "cpu", threads=1)


def _scored(judge: Judge, data: bytes) -> Scored:
    scored = judge.score(data)
    assert isinstance(scored, Scored), scored
    return scored


@pytest.mark.parametrize("faces", [1, 2])
def test_a_photo_halved_while_decoding_is_judged_as_if_decoded_whole(
    real_judge: Judge, monkeypatch: pytest.MonkeyPatch, faces: int
) -> None:
    """The score moves by less than 0.1; faces stand within three pixels of 2,016."""
    data = selfie(4032, 3024, faces)
    halved = _scored(real_judge, data)
    monkeypatch.setattr(JpegImageFile, "draft", lambda *_: None)
    whole = _scored(real_judge, data)
    assert halved.aligned.photo.size == (2016, 1512)
    assert max(whole.aligned.photo.size) == photos.LONGEST_SIDE
    zoom = 2016 / photos.LONGEST_SIDE
    assert abs(halved.score - whole.score) < 0.1
    assert len(halved.aligned.faces) == len(whole.aligned.faces)
    ours, theirs = _marks(halved), [mark * zoom for mark in _marks(whole)]
    assert ours == pytest.approx(theirs, abs=3.0)


def _marks(scored: Scored) -> list[float]:
    """All faces' landmarks, from left to right: which of two like faces is larger is chance."""
    faces = sorted(scored.aligned.faces, key=lambda face: face.box)
    return [mark for face in faces for place in face.landmarks for mark in place]
