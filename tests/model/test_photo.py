"""Reading photos."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from model.photo import ENOUGH_SIDE, LONGEST_SIDE, MOST_PIXELS, ORIENTATION, Unreadable, read_photo

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 200, 30), (30, 30, 200), (255, 255, 255)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green / blue, white: tells every turn and mirroring apart."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(WHITE, (width // 2, height // 2, width, height))
    return picture


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file's bytes."""
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo_of(data: bytes) -> Image.Image:
    """The photo read from `data`, which must be readable."""
    photo = read_photo(data)
    assert isinstance(photo, Image.Image), photo
    assert photo.mode == "RGB"
    return photo


def assert_quarters(photo: Image.Image, tolerance: int = 25) -> None:
    """The photo shows `quarters`, upright."""
    places = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
    for (x, y), colour in zip(places, (RED, GREEN, BLUE, WHITE), strict=True):
        seen = photo.getpixel((int(photo.width * x), int(photo.height * y)))
        assert isinstance(seen, tuple)
        assert np.abs(np.subtract(seen, colour)).max() <= tolerance, (x, y, seen)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "TIFF", "GIF"])
def test_formats(kind: str) -> None:
    """What telephones and the web use is read, at its own size."""
    photo = photo_of(encoded(quarters(), kind))
    assert photo.size == (64, 48)
    assert_quarters(photo)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    """A file that says how it was held is read upright, once."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = quarters().transpose(undo[orientation]) if orientation in undo else quarters()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    photo = photo_of(encoded(held, kind, exif=exif.tobytes()))
    assert photo.size == (64, 48)
    assert_quarters(photo)


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_impossible_orientation_is_ignored(orientation: int) -> None:
    """Nonsense in EXIF does not turn the photo."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert_quarters(photo_of(encoded(quarters(), "JPEG", exif=exif)))


def test_broken_exif_does_not_spoil_the_photo() -> None:
    """Sound pixels are read though the EXIF block is rubbish."""
    assert_quarters(photo_of(encoded(quarters(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffrubbish")))


def test_metadata_is_dropped() -> None:
    """Nothing of EXIF, ICC profile or comments stays with the photo."""
    exif = Image.Exif()
    exif[0x010E] = "at home"
    photo = photo_of(encoded(quarters(), "JPEG", exif=exif, comment=b"secret"))
    assert photo.info == {}
    assert not photo.getexif()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    """Print colours become screen colours."""
    assert_quarters(photo_of(encoded(quarters().convert("CMYK"), kind)), tolerance=40)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey(kind: str) -> None:
    """16-bit grey is divided, not clipped: a ramp stays a ramp."""
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    row = np.asarray(photo_of(encoded(Image.fromarray(ramp), kind)))[0, :, 0].astype(int)
    assert np.abs(row - np.arange(256)).max() <= 1


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour(channels: int) -> None:
    """16-bit RGB and RGBA PNG, as raw converters write them, are read."""
    pixels = np.zeros((4, 6, channels), ">u2")
    pixels[..., :3] = np.array([200, 100, 50]) * 257
    pixels[..., 3:] = 65535
    photo = photo_of(sixteen_bit_png(pixels))
    assert photo.getpixel((3, 2)) == (200, 100, 50)


def sixteen_bit_png(pixels: np.ndarray) -> bytes:
    """A PNG by hand: Pillow writes no 16-bit colour."""
    height, width, channels = pixels.shape
    colour = {3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return png(header, zlib.compress(rows))


def png(header: bytes, body: bytes) -> bytes:
    """A PNG file of one data chunk."""
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_modes_of_png(mode: str) -> None:
    """Bilevel, grey, palette and transparent pictures become RGB."""
    grey = Image.new("L", (6, 4), 255).convert(mode)
    assert photo_of(encoded(grey, "PNG")).getpixel((1, 1)) == WHITE


def test_transparency_lies_on_white() -> None:
    """What cannot be seen is white, half of it half."""
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 128))
    photo = photo_of(encoded(picture, "PNG"))
    assert photo.getpixel((0, 0)) == WHITE
    assert photo.getpixel((1, 0)) == (127, 127, 127)


def test_transparent_palette_lies_on_white() -> None:
    """A palette's transparent colour is white, too."""
    picture = Image.new("P", (2, 1), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    photo = photo_of(encoded(picture, "PNG", transparency=0))
    assert [photo.getpixel((x, 0)) for x in (0, 1)] == [WHITE, (200, 100, 50)]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    """Of animations and stacks the first picture counts."""
    frames = [Image.new("RGB", (64, 48), BLUE), Image.new("RGB", (64, 48), RED)]
    data = encoded(quarters(), kind, save_all=True, append_images=frames)
    assert_quarters(photo_of(data))


def test_a_large_photo_is_reduced() -> None:
    """The longest side is at most LONGEST_SIDE; the shape stays."""
    photo = photo_of(encoded(quarters(4000, 3000), "PNG"))
    assert photo.size == (LONGEST_SIDE, 1536)
    assert_quarters(photo)


@pytest.mark.parametrize(
    ("size", "read"),
    [
        ((4032, 3024), (2016, 1512)),
        ((3840, 2160), (1920, 1080)),
        ((3600, 2700), (LONGEST_SIDE, 1536)),
        ((8064, 6048), (2016, 1512)),
        ((1500, 2000), (1500, 2000)),
    ],
)
def test_a_jpeg_is_reduced_while_it_is_decoded(size: tuple[int, int], read: tuple[int, int]) -> None:
    """Where that leaves it large enough; in between it is decoded larger and resized."""
    photo = photo_of(encoded(quarters(*size), "JPEG"))
    assert photo.size == read
    assert max(size) < ENOUGH_SIDE or max(photo.size) >= ENOUGH_SIDE
    assert_quarters(photo)


def test_a_reduced_photo_keeps_orientation_and_colours() -> None:
    """Turned upright and its profile's colours made sRGB's, as at full size."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    held = Image.new("RGB", (4032, 3024), (200, 40, 40))
    photo = photo_of(encoded(held, "JPEG", exif=exif.tobytes(), icc_profile=swapped_profile()))
    assert photo.size == (1512, 2016)
    assert photo.getpixel((700, 900)) == pytest.approx((40, 200, 40), abs=6)


def test_a_large_print_photo_is_reduced() -> None:
    """CMYK is halved while it is decoded, too."""
    photo = photo_of(encoded(quarters(4032, 3024).convert("CMYK"), "JPEG"))
    assert photo.size == (2016, 1512)
    assert_quarters(photo, tolerance=40)


def test_a_large_file_cut_short_is_broken() -> None:
    """Reduced decoding notices the missing half as well."""
    data = encoded(Image.effect_noise((4032, 3024), 40).convert("RGB"), "JPEG")
    assert read_photo(data[: len(data) // 2]) is Unreadable.BROKEN


@pytest.mark.slow
def test_a_telephone_of_two_hundred_megapixels() -> None:
    """Baseline JPEG is reduced while decoding, so that even the largest cameras' photos are read."""
    assert_quarters(photo_of(encoded(quarters(16320, 12240), "JPEG")))


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    """A dot or a line is a picture as well."""
    photo = photo_of(encoded(Image.new("RGB", size), "PNG"))
    assert max(photo.size) <= LONGEST_SIDE
    assert min(photo.size) >= 1


@pytest.mark.parametrize("size", [(60000, 60000), (MOST_PIXELS // 8 + 1, 8), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    """A small file that claims a huge size is turned down by its header."""
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    assert read_photo(png(header, zlib.compress(bytes(1000)))) is Unreadable.TOO_MANY_PIXELS


def test_a_large_progressive_jpeg_is_refused() -> None:
    """Reducing while decoding saves no memory there."""
    data = encoded(Image.new("L", (9000, 8000)), "JPEG", progressive=True)
    assert read_photo(data) is Unreadable.TOO_MANY_PIXELS


@pytest.mark.parametrize("data", [b"", b"\0", b"hello, I am no picture\n" * 50, b"%PDF-1.7\n", b"\xff\xd8"])
def test_what_is_no_picture(data: bytes) -> None:
    """Empty files and other kinds of file are told apart from broken pictures."""
    assert read_photo(data) is Unreadable.NOT_A_PICTURE


def test_formats_that_run_programs_are_no_pictures() -> None:
    """PostScript, which Pillow would hand to Ghostscript, is not even opened."""
    assert read_photo(encoded(quarters(), "EPS")) is Unreadable.NOT_A_PICTURE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "GIF"])
def test_a_file_cut_short_is_broken(kind: str) -> None:
    """Half a file is no photo."""
    noise = Image.effect_noise((200, 150), 90).convert("RGB")
    data = encoded(noise, kind)
    assert read_photo(data[: len(data) // 2]) is Unreadable.BROKEN


FILES = [encoded(quarters(), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_damaged_files_never_raise(data: bytes, draw: st.DataObject) -> None:
    """Whatever bits flip and wherever a file ends: a photo or a reason, no exception."""
    damaged = bytearray(data[: draw.draw(st.integers(0, len(data)))])
    for place in draw.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=8)):
        if damaged:
            damaged[place] ^= draw.draw(st.integers(1, 255))
    assert isinstance(read_photo(bytes(damaged)), Image.Image | Unreadable)


def swapped_profile() -> bytes:
    """A colour profile like sRGB, but for red and green, which have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "ours".encode("utf-16-be"))
    return profile.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_of_another_profile_become_srgbs(kind: str) -> None:
    """A file's numbers mean what its profile says they mean."""
    data = encoded(Image.new("RGB", (40, 40), (200, 40, 40)), kind, icc_profile=swapped_profile())
    photo = read_photo(data)
    assert isinstance(photo, Image.Image)
    assert photo.getpixel((20, 20)) == pytest.approx((40, 200, 40), abs=6)


@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:200]])
def test_a_malformed_profile_changes_nothing(profile: bytes) -> None:
    """Sound pixels with an unreadable profile are read as they stand."""
    photo = read_photo(encoded(Image.new("RGB", (40, 40), (200, 40, 40)), "PNG", icc_profile=profile))
    assert isinstance(photo, Image.Image)
    assert photo.getpixel((20, 20)) == (200, 40, 40)
