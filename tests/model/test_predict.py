"""The trained scorer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from model import checkpoint
from model.grow import deeper, wider
from model.network import INPUT_SIZE, LAYERS, STRIDE, TinyDarknet, places
from model.predict import DeviceError, Judged, Scorer, WeightsError, pick_device
from model.scale import Scale

WEIGHTS = Path(checkpoint.__file__).parent / "weights"
"""Those that we ship."""

SCALE = Scale(((-3, 0), (0, 5), (3, 9)), 1.0)
CARD = {"layers": LAYERS, "input_size": INPUT_SIZE, "scale": SCALE.to_json()}


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


def said(picture: Image.Image) -> tuple[float, float]:
    """Output and log doubt that the bare network gives a picture."""
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        output, doubt = network().eval().judge((pixels / 255 - 0.5) / 0.25)
    return output.item(), doubt.item()


def test_faces_are_judged_on_the_cards_scale(scorer: Scorer) -> None:
    """Score and plus-minus are the scale's for the mean of what is said of views and mirror images."""
    views = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(2)]
    output, doubt = np.mean([said(one) for view in views for one in (view, ImageOps.mirror(view))], axis=0)
    assert abs(output) > 1e-3
    [judged] = scorer.judge([views])
    assert judged.score == pytest.approx(SCALE.told([output])[0], abs=1e-3)
    assert judged.plus_minus == pytest.approx(SCALE.plus_minus([doubt])[0], abs=1e-3)


def test_windows_are_compared_on_a_straight_line(scorer: Scorer) -> None:
    """`unclipped` is linear in what the network says, so that windows can be read from their places."""
    picture = noise(INPUT_SIZE, INPUT_SIZE)
    assert scorer.unclipped([picture])[0] == pytest.approx(SCALE.straight([said(picture)[0]])[0], abs=1e-3)


def test_scores_stay_within_the_scale() -> None:
    """Beyond 0 and 9 the score stops; `unclipped` goes on."""
    high = Scorer(network(), Scale(((-3, 17), (3, 23)), 1.0))
    picture = noise(INPUT_SIZE, INPUT_SIZE)
    assert high.judge([[picture]])[0].score == 9.0
    assert high.unclipped([picture])[0] > 9


def test_a_face_is_judged_as_its_mirror_image(scorer: Scorer) -> None:
    """So that it does not matter which one was sent."""
    faces = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(3)]
    mirrored = [ImageOps.mirror(face) for face in faces]
    differences = np.subtract(scorer.outputs(faces), scorer.outputs(mirrored))
    assert np.abs(differences).min(axis=1).max() > 1e-4
    assert apart(scorer.judge([faces]), scorer.judge([mirrored])) < 1e-4


def test_a_batch_is_judged_as_one_by_one(scorer: Scorer) -> None:
    """How pictures are batched changes nothing; no pictures give no scores."""
    pictures = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(19)]
    together = scorer.unclipped(pictures)
    alone = [scorer.unclipped([picture])[0] for picture in pictures]
    assert np.abs(np.subtract(together, alone)).max() < 1e-4
    assert np.std(together) > 0.05
    faces = [pictures[start : start + 2] for start in range(0, 18, 2)]
    assert apart(scorer.judge(faces), [scorer.judge([face])[0] for face in faces]) < 1e-4
    assert scorer.judge([]) == []
    assert scorer.unclipped([]) == []


def apart(first: list[Judged], second: list[Judged]) -> float:
    """The largest difference between two lists of scores and plus-minuses."""
    pairs = zip(first, second, strict=True)
    return max(max(abs(a.score - b.score), abs(a.plus_minus - b.plus_minus)) for a, b in pairs)


@pytest.mark.parametrize("halved", [False, True])
def test_grown_networks_load(tmp_path: Path, halved: bool) -> None:
    """The card says which layers; weights in half precision judge nearly alike, in half the space."""
    generator = torch.Generator().manual_seed(0)
    grown = deeper(wider(network(), 0, 20, generator), 4, 8, generator)
    checkpoint.save(tmp_path, grown.state_dict(), {**CARD, "layers": grown.layers}, halved=halved)
    loaded = Scorer.load(tmp_path, "cpu")
    faces = [[noise(INPUT_SIZE, INPUT_SIZE, seed)] for seed in range(3)]
    assert apart(loaded.judge(faces), Scorer(grown, SCALE).judge(faces)) < (0.01 if halved else 1e-5)
    floats = sum(value.numel() for value in grown.parameters())
    assert (tmp_path / checkpoint.TENSORS).stat().st_size < floats * (2.1 if halved else 4.1)


@pytest.mark.parametrize("stride", [4, 8])
def test_one_pass_reads_every_windows_score(stride: int) -> None:
    """The mean of the contributions over a window is nearly the score of that window cut out."""
    scorer, photo = Scorer.load(WEIGHTS, "cpu"), noise(256, 232)
    apart, reach = STRIDE // stride, (places(INPUT_SIZE) - 1) * (STRIDE // stride) + 1
    contributions = scorer.contributions(photo, stride)
    differences = []
    for row, top in enumerate(range(0, photo.height - INPUT_SIZE + 1, stride)):
        for column, left in enumerate(range(0, photo.width - INPUT_SIZE + 1, stride)):
            alone = scorer.unclipped([photo.crop((left, top, left + INPUT_SIZE, top + INPUT_SIZE))])[0]
            own = contributions[row : row + reach : apart, column : column + reach : apart]
            differences.append(own.mean() - alone)
    assert len(differences) == (40 // stride + 1) * (64 // stride + 1)
    assert np.abs(differences).max() <= 0.05


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
    tensors["head.bias"] = torch.tensor([float("nan"), 0.0])
    checkpoint.save(path, tensors, CARD)


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        (lambda path: None, r"scorer\.json is missing"),
        (changed_card({"layers": [[8, 3]]}), r"scorer\.json describes another geometry"),
        (changed_card({"layers": [[8, 3], "swim"]}), r"scorer\.json describes another network: layer 1"),
        (changed_card({"layers": [(8, 3), *LAYERS[1:]]}), r"scorer\.safetensors does not fit.*trunk"),
        (changed_card({"input_size": 224}), r"scorer\.json is for pictures of 224 pixels"),
        (changed_card({"scale": {"centre": 4.5}}), r"scorer\.json gives no scale: no knots"),
        (changed_card({"scale": None}), r"scorer\.json gives no scale"),
        (changed_card({"scale": {"knots": [[0, 1], [0, 2]], "doubt": 1}}), r"gives no scale: .* do not rise"),
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
    shipped = WEIGHTS
    scorer = Scorer.load(shipped, "cpu", threads=1)
    [judged] = scorer.judge([[noise(INPUT_SIZE, INPUT_SIZE)]])
    assert 0 <= judged.score <= 9
    assert 0.2 <= judged.plus_minus <= 3


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
    """Half precision on a GPU stays within 0.02 of what the CPU says."""
    pictures = [noise(INPUT_SIZE, INPUT_SIZE, seed) for seed in range(8)]
    assert apart(Scorer.load(folder, "cuda").judge([pictures]), scorer.judge([pictures])) < 0.02
