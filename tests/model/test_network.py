"""The network: its shape, and windows read off one pass."""

import pytest
import torch

from model.network import FIELD, INPUT_SIZE, STRIDE, TinyDarknet, normalise, places


@pytest.fixture(scope="module")
def network() -> TinyDarknet:
    """A network with random weights and a head large enough for scores to differ."""
    torch.manual_seed(0)
    network = TinyDarknet().eval()
    torch.nn.init.normal_(network.head.weight, std=0.5)
    return network


def test_trunk_is_tiny_darknets() -> None:
    """The convolutions have Tiny Darknet's widths and kernels, and none of them pads."""
    convolutions = [part for part in TinyDarknet().trunk if isinstance(part, torch.nn.Conv2d)]
    assert [(c.out_channels, c.kernel_size[0]) for c in convolutions] == [
        (16, 3), (32, 3),
        (16, 1), (128, 3), (16, 1), (128, 3),
        (32, 1), (256, 3), (32, 1), (256, 3),
        (64, 1), (512, 3), (64, 1), (512, 3),
        (128, 1), (1024, 3),
    ]  # fmt: skip
    assert all(c.padding == (0, 0) for c in convolutions)


@pytest.mark.parametrize("pixels", [165, 166, 170, 223, 224, 225, 300, 400])
def test_places_counts_the_feature_map(pixels: int) -> None:
    """`places` says how large the feature map of a picture of that many pixels is."""
    expected = places(pixels)
    if expected == 0:
        with pytest.raises(RuntimeError):
            TinyDarknet().trunk(torch.zeros(1, 3, pixels, pixels))
    else:
        assert TinyDarknet().trunk(torch.zeros(1, 3, pixels, pixels)).shape[-2:] == (expected, expected)


def test_score_is_the_mean_of_contributions(network: TinyDarknet) -> None:
    """The head is linear after an average, so the mean over a picture's places is its score."""
    pixels = torch.randn(2, 3, INPUT_SIZE, INPUT_SIZE)
    with torch.inference_mode():
        torch.testing.assert_close(network.contributions(pixels).mean((1, 2)), network(pixels))


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
@pytest.mark.parametrize("size", [(232, 256), (203, 215), (192, 209)])
def test_every_window_is_read_exactly_from_one_pass(
    network: TinyDarknet, size: tuple[int, int], stride: int
) -> None:
    """A window's score from the map over the whole photo is that of the window cut out."""
    photo = torch.randn(1, 3, *size)
    apart, side = STRIDE // stride, places(INPUT_SIZE)
    reach = (side - 1) * apart + 1
    with torch.inference_mode():
        [contributions] = network.contributions(photo, stride)
        assert contributions.shape == tuple((length - FIELD) // stride + 1 for length in size)
        for row, y in enumerate(range(0, size[0] - INPUT_SIZE + 1, stride)):
            for column, x in enumerate(range(0, size[1] - INPUT_SIZE + 1, 2 * stride)):
                alone = network(photo[..., y : y + INPUT_SIZE, x : x + INPUT_SIZE]).item()
                own = contributions[row : row + reach : apart, 2 * column : 2 * column + reach : apart]
                assert alone == pytest.approx(own.mean().item(), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("stride", [4, 8])
def test_several_photos_share_a_pass(network: TinyDarknet, stride: int) -> None:
    """Each photo of a batch has the map that it has alone."""
    photos = torch.randn(3, 3, 232, 264)
    with torch.inference_mode():
        alone = torch.cat([network.contributions(photo[None], stride) for photo in photos])
        torch.testing.assert_close(network.contributions(photos, stride), alone)


def test_normalise_centres_bytes() -> None:
    """Black, middle grey and white become -2, about 0 and 2; the bytes given stay as they are."""
    pixels = torch.tensor([0, 128, 255], dtype=torch.uint8).view(1, 1, 3)
    torch.testing.assert_close(normalise(pixels), torch.tensor([[[-2.0, 0.0078431, 2.0]]]))
    assert pixels.dtype == torch.uint8
