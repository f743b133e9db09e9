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
    """The score moves by less than 0.1; faces stand within two pixels of 2,048."""
    data = selfie(4032, 3024, faces)
    halved = _scored(real_judge, data)
    monkeypatch.setattr(JpegImageFile, "draft", lambda *_: None)
    whole = _scored(real_judge, data)
    assert halved.aligned.photo.size == (2016, 1512)
    assert max(whole.aligned.photo.size) == photos.LONGEST_SIDE
    zoom = 2016 / photos.LONGEST_SIDE
    assert abs(halved.score - whole.score) < 0.1
    assert len(halved.aligned.faces) == len(whole.aligned.faces)
    ours = sum(halved.aligned.face.landmarks, ())
    theirs = [edge * zoom for edge in sum(whole.aligned.face.landmarks, ())]
    assert ours == pytest.approx(theirs, abs=2.0)
