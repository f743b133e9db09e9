"""The engines: the same network, run by other libraries."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.engine import OpenVinoEngine, TorchEngine
from model.grow import deeper, wider
from model.network import FIELD, INPUT_SIZE, Residual, TinyDarknet


def network() -> TinyDarknet:
    """Random weights whose scores differ between pictures; grown, so that no kind of layer is missing."""
    torch.manual_seed(2)
    made = TinyDarknet()
    torch.nn.init.normal_(made.head.weight, std=0.03)
    generator = torch.Generator().manual_seed(0)
    grown = deeper(wider(made, 0, 20, generator), 4, 8, generator)
    for part in grown.trunk:
        if isinstance(part, Residual):  # a new branch starts at zero, which would show nothing
            torch.nn.init.normal_(part.outer.weight, std=0.1)
    return grown


def pictures(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth noise, each of another brightness."""
    chance = np.random.default_rng(seed)
    levels = chance.uniform(30, 220, (count, 1, 1, 3))
    return np.clip(levels + chance.normal(0, 25, (count, height, width, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def engine() -> OpenVinoEngine:
    return OpenVinoEngine(network(), threads=1)


@pytest.fixture(scope="module")
def reference() -> TorchEngine:
    return TorchEngine(network(), torch.device("cpu"))


@pytest.mark.parametrize("size", [(INPUT_SIZE, INPUT_SIZE), (FIELD, FIELD), (203, 341)])
@pytest.mark.parametrize("count", [1, 5])
def test_both_engines_judge_alike(
    engine: OpenVinoEngine, reference: TorchEngine, size: tuple[int, int], count: int
) -> None:
    """Scores and doubts of any number of pictures of any size, in single precision."""
    seen = pictures(count, *size)
    ours = engine.judge(seen)
    assert ours.shape == (2, count)
    np.testing.assert_allclose(ours, reference.judge(seen), atol=1e-4)


@pytest.mark.parametrize("stride", [4, 8, 16])
@pytest.mark.parametrize("size", [(INPUT_SIZE, INPUT_SIZE), (201, 250)])
def test_both_engines_map_alike(
    engine: OpenVinoEngine, reference: TorchEngine, size: tuple[int, int], stride: int
) -> None:
    """What each place adds, up to half precision's rounding."""
    seen = pictures(2, *size)
    ours, theirs = engine.contributions(seen, stride), reference.contributions(seen, stride)
    assert ours.shape == theirs.shape == (2, *((side - FIELD) // stride + 1 for side in size))
    assert np.abs(ours - theirs).max() < 0.05 * np.abs(theirs).max()
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999


def test_rows_that_no_place_sees_change_nothing(engine: OpenVinoEngine) -> None:
    """They are cut off before the pass."""
    seen = pictures(2, 200, 192)
    painted = seen.copy()
    painted[:, 198:], painted[:, :, 182:] = 0, 255
    assert np.array_equal(engine.judge(seen), engine.judge(painted))


def test_threads_may_share_an_engine(engine: OpenVinoEngine) -> None:
    """Each gets its own answer."""
    asked = [pictures(1 + seed % 3, 192, 192, seed) for seed in range(12)]
    alone = [(engine.judge(seen), engine.contributions(seen, 8)) for seen in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seen: (engine.judge(seen), engine.contributions(seen, 8)), asked))
    for (scores, maps), (own_scores, own_maps) in zip(together, alone, strict=True):
        assert np.array_equal(scores, own_scores) and np.array_equal(maps, own_maps)


def test_an_unknown_layer_is_named() -> None:
    """A network of another kind is refused, not run wrongly."""
    made = TinyDarknet()
    made.trunk[2] = torch.nn.Softplus()
    with pytest.raises(TypeError, match="Softplus"):
        OpenVinoEngine(made, threads=1)


def test_nothing_reports_home() -> None:
    """OpenVINO's telemetry, which sends unless one opts out, is not installed."""
    assert importlib.util.find_spec("openvino_telemetry") is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.gpu
def test_a_gpu_judges_alike(reference: TorchEngine) -> None:
    """In half precision."""
    seen = pictures(4, INPUT_SIZE, INPUT_SIZE)
    there = TorchEngine(network(), torch.device("cuda")).judge(seen)
    np.testing.assert_allclose(there, reference.judge(seen), atol=0.02)
