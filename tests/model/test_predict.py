"""The trained scorer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from model import checkpoint
from model.network import INPUT_SIZE, LAYERS, STRIDE, TinyDarknet
from model.predict import DeviceError, Scorer, WeightsError, pick_device

CARD = {"layers": LAYERS, "scale": {"centre": 4.5, "spread": 1.5}}


def network() -> TinyDarknet:
    """Random weights whose scores differ between pictures."""
    torch.manual_seed(1)
    made = TinyDarknet()
    torch.nn.init.normal_(made.head.weight, std=0.03)
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as training writes them."""
    path = tmp_path_factory.mktemp("weights")
    checkpoint.save(path, network().state_dict(), CARD)
    return path


@pytest.fixture(scope="module")
def scorer(folder: Path) -> Scorer:
    return Scorer.load(folder, "cpu", threads=1)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Coarse and fine random colours, so that every window differs."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).resize((width, height))
    fine = rng.integers(-40, 40, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + fine, 0, 255).astype(np.uint8))


def test_scores_are_the_networks_on_the_cards_scale(scorer: Scorer) -> None:
    """0..9 is the card's centre plus its spread times what the network says."""
    picture = noise(INPUT_SIZE, INPUT_SIZE)
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        output = network().eval()((pixels / 255 - 0.5) / 0.25).item()
    assert scorer.unclipped([picture])[0] == pytest.approx(4.5 + 1.5 * output, abs=1e-3)


def test_scores_stay_within_the_scale(tmp_path: Path) -> None:
    """Beyond 0 and 9 the score stops; `unclipped` goes on."""
    checkpoint.save(tmp_path, network().state_dict(), {**CARD, "scale": {"centre": 20, "spread": 1}})
    high = Scorer.load(tmp_path, "cpu")
    picture = noise(INPUT_SIZE, INPUT_SIZE)
    assert high.score([picture]) == [9.0]
    assert high.unclipped([picture])[0] > 9


def test_a_face_scores_as_its_mirror_image() -> None:
    """The score is the mean of both, so that it does not matter which one was sent."""
    scorer = Scorer(network(), 4.5, 0.01)
    faces = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(3)]
    mirrored = [ImageOps.mirror(face) for face in faces]
    means = np.mean([scorer.unclipped(faces), scorer.unclipped(mirrored)], axis=0)
    assert np.std(means) > 1e-4
    assert scorer.score(faces) == pytest.approx(means.tolist(), abs=1e-4)
    assert scorer.score(mirrored) == pytest.approx(means.tolist(), abs=1e-4)


def test_a_batch_scores_as_one_by_one(scorer: Scorer) -> None:
    """How pictures are batched changes nothing; no pictures give no scores."""
    pictures = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(19)]
    together = scorer.unclipped(pictures)
    alone = [scorer.unclipped([picture])[0] for picture in pictures]
    assert np.abs(np.subtract(together, alone)).max() < 1e-4
    assert np.std(together) > 0.05
    assert scorer.score(pictures) == pytest.approx([scorer.score([one])[0] for one in pictures], abs=1e-4)
    assert scorer.score([]) == []


def test_one_pass_reads_every_windows_score(scorer: Scorer) -> None:
    """The mean of the contributions over a window is the score of that window cut out."""
    photo = noise(400, 336)
    contributions = scorer.contributions(photo)
    differences = []
    for row in range((photo.height - INPUT_SIZE) // STRIDE + 1):
        for column in range((photo.width - INPUT_SIZE) // STRIDE + 1):
            left, top = column * STRIDE, row * STRIDE
            alone = scorer.unclipped([photo.crop((left, top, left + INPUT_SIZE, top + INPUT_SIZE))])[0]
            differences.append(contributions[row : row + 4, column : column + 4].mean() - alone)
    assert len(differences) == 8 * 12
    assert np.abs(differences).max() <= 0.002


def changed_card(change: dict[str, Any]) -> Callable[[Path], None]:
    """Save weights with another card."""
    return lambda path: checkpoint.save(path, network().state_dict(), {**CARD, **change})


def without_head(path: Path) -> None:
    """Save weights that lack the last layer."""
    tensors = {name: value for name, value in network().state_dict().items() if "head" not in name}
    checkpoint.save(path, tensors, CARD)


def not_finite(path: Path) -> None:
    """Save weights of a training run that blew up."""
    tensors = network().state_dict()
    tensors["head.bias"] = torch.tensor([float("nan")])
    checkpoint.save(path, tensors, CARD)


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        (lambda path: None, r"scorer\.json is missing"),
        (changed_card({"layers": [[8, 3]]}), r"scorer\.json describes another network"),
        (changed_card({"scale": {"centre": 4.5}}), r"scorer\.json gives no scale"),
        (changed_card({"scale": None}), r"scorer\.json gives no scale"),
        (changed_card({"scale": {"centre": float("nan"), "spread": 1}}), r"scorer\.json gives no scale"),
        (without_head, r"scorer\.safetensors does not fit.*head"),
        (not_finite, r"scorer\.safetensors is damaged"),
    ],
)
def test_unfit_weights_are_named(tmp_path: Path, save: Callable[[Path], None], reason: str) -> None:
    """Missing, foreign or damaged weights: an error with the file and what is wrong."""
    save(tmp_path)
    with pytest.raises(WeightsError, match=reason) as caught:
        Scorer.load(tmp_path, "cpu")
    assert str(tmp_path) in str(caught.value)


def test_the_shipped_weights_load() -> None:
    """The scorer in the project fits the network in the project."""
    shipped = Path(checkpoint.__file__).parent / "weights"
    scorer = Scorer.load(shipped, "cpu", threads=1)
    assert 0 <= scorer.score([noise(INPUT_SIZE, INPUT_SIZE)])[0] <= 9


@pytest.mark.parametrize("name", ["tpu", "", "CPU"])
def test_unknown_devices_are_refused(name: str) -> None:
    """The error lists what may be said."""
    with pytest.raises(DeviceError, match="auto, cpu or cuda"):
        pick_device(name)


def test_a_missing_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for a GPU where there is none is an error; `auto` takes the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no GPU"):
        pick_device("cuda")
    assert pick_device("auto") == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_scores_as_the_cpu(scorer: Scorer, folder: Path) -> None:
    """Half precision on a GPU stays within 0.02 of the CPU's scores."""
    pictures = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(8)]
    gpu = Scorer.load(folder, "cuda").score(pictures)
    assert np.abs(np.subtract(gpu, scorer.score(pictures))).max() < 0.02
