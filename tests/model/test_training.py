"""The training loop, on faces that we draw."""

import numpy as np
import torch

from model.augmentation import augment, centre
from model.data import CONTEXT_SIZE, Rated, RatedFaces
from model.network import INPUT_SIZE, TinyDarknet
from model.training import Progress, Recipe, predict_faces, train


def _striped_faces(count: int) -> RatedFaces:
    """Pictures rated by how strongly they are striped."""
    rng = np.random.default_rng(0)
    targets = np.linspace(-1.5, 1.5, count).astype(np.float32)
    contexts = np.full((count, CONTEXT_SIZE, CONTEXT_SIZE, 4), 255, np.uint8)
    stripes = np.where(np.arange(CONTEXT_SIZE) // 12 % 2, 1.0, -1.0)[None, :, None]
    for context, target in zip(contexts, targets, strict=True):
        noise = rng.normal(0, 8, (CONTEXT_SIZE, CONTEXT_SIZE, 3))
        context[..., :3] = np.clip(128 + stripes * 30 * (target + 2) + noise, 0, 255)
    rated = tuple(Rated(str(i), "drawn", "g", 4.5, 0) for i in range(count))
    return RatedFaces(rated, contexts, targets, ())


def _small() -> TinyDarknet:
    torch.manual_seed(0)
    return TinyDarknet(layers=((8, 3), "pool", (8, 3), "pool", (16, 3), "pool", (16, 3)), dropout=0.0)


def test_training_learns_and_averages() -> None:
    """The loss falls, and the averaged network ranks the pictures as they are rated."""
    faces, seen = _striped_faces(32), list[Progress]()
    network = train(_small(), faces, Recipe(epochs=12, batch=8, learning_rate=3e-3), seen.append)
    assert [progress.epoch for progress in seen] == list(range(1, 13))
    assert seen[-1].loss < 0.7 * seen[0].loss
    assert np.corrcoef(predict_faces(network, faces), faces.targets)[0, 1] > 0.9


def test_one_seed_gives_one_network() -> None:
    """Two runs with one seed end with the same weights; another seed does not."""
    faces = _striped_faces(16)

    def run(seed: int) -> torch.Tensor:
        network = train(_small(), faces, Recipe(epochs=1, batch=8, seed=seed), lambda _: None)
        return torch.cat([value.flatten() for value in network.parameters()])

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_augmentation_gives_pictures() -> None:
    """Augmented pictures have the network's size and stay within 0..255, and no two are alike."""
    contexts = torch.from_numpy(_striped_faces(4).contexts).permute(0, 3, 1, 2)
    generator = torch.Generator().manual_seed(0)
    first, second = augment(contexts, generator), augment(contexts, generator)
    assert first.shape == (4, 3, INPUT_SIZE, INPUT_SIZE)
    assert first.min() >= 0
    assert first.max() <= 255
    assert not torch.equal(first, second)


def test_centre_is_the_canonical_face() -> None:
    """Without augmentation the middle of the context is shown, grey beyond the photo's edge."""
    context = torch.zeros(1, 4, CONTEXT_SIZE, CONTEXT_SIZE, dtype=torch.uint8)
    middle = CONTEXT_SIZE // 2
    context[:, :, middle - 10 : middle + 10, middle - 10 : middle + 10] = 255
    picture = centre(context)
    assert picture.shape == (1, 3, INPUT_SIZE, INPUT_SIZE)
    assert picture[0, 0, INPUT_SIZE // 2, INPUT_SIZE // 2] == 255
    assert picture[0, 0, 0, 0] == 128
