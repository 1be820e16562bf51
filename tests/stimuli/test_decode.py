"""Every kind of image becomes RGB, and everything else a sentence."""

from __future__ import annotations

import io
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile

from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.stimuli.decode import LIMIT_VARIABLE, decode, read_image

ADVICE = "Replace it, or go on without it with --skip-unreadable, which lists what it leaves out."


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def message(reason, name="a.png"):
    return f"^{re.escape(f'Stimulus {name!r} cannot be read: {reason}. {ADVICE}')}$"


def test_rgb_comes_back_as_it_was(rng):
    values = rng.integers(0, 256, (4, 7, 3), dtype=np.uint8)
    image = decode(encoded(Image.fromarray(values)), "a.png")
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), values)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM", "WEBP"])
def test_lossless_kinds_agree(kind):
    image = Image.new("RGB", (4, 3), (255, 0, 0))
    options = {"lossless": True} if kind == "WEBP" else {}
    assert decode(encoded(image, kind, **options), "a").getpixel((1, 1)) == (255, 0, 0)


def test_grey_and_one_bit_become_three_equal_channels():
    assert decode(encoded(Image.new("L", (2, 2), 77)), "a").getpixel((0, 0)) == (77, 77, 77)
    assert decode(encoded(Image.new("1", (2, 2), 1)), "a").getpixel((0, 0)) == (255, 255, 255)


def test_palette_becomes_its_colours():
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert decode(encoded(image), "a").getpixel((0, 0)) == (10, 20, 30)


def test_transparent_palette_entry_shows_the_background():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    out = decode(encoded(image, transparency=bytes([0, 255])), "a")
    assert [out.getpixel((0, 0)), out.getpixel((1, 0))] == [(128, 128, 128), (10, 20, 30)]


@pytest.mark.parametrize(("alpha", "expected"), [(0, 128), (255, 255), (128, 192)])
def test_alpha_is_laid_over_mid_grey(alpha, expected):
    out = decode(encoded(Image.new("RGBA", (2, 2), (255, 255, 255, alpha))), "a").getpixel((0, 0))
    assert abs(out[0] - expected) <= 1
    grey = decode(encoded(Image.new("LA", (2, 2), (255, alpha))), "a").getpixel((0, 0))
    assert grey == out


def test_a_transparent_colour_of_an_rgb_png_shows_the_background():
    out = decode(encoded(Image.new("RGB", (2, 2), (9, 9, 9)), transparency=(9, 9, 9)), "a")
    assert out.getpixel((0, 0)) == (128, 128, 128)


def test_cmyk_becomes_rgb():
    out = decode(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", quality=100), "a").getpixel((4, 4))
    assert out[0] < 10
    assert min(out[1:]) > 240


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    out = np.asarray(decode(encoded(Image.fromarray(values), kind), "a"))
    np.testing.assert_array_equal(out[0, :, 0], [0, 1, 128, 255])


def test_floats_from_zero_to_one_are_scaled_and_others_refused():
    out = decode(encoded(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF"), "a")
    assert [out.getpixel((column, 0))[0] for column in range(3)] == [0, 128, 255]
    with pytest.raises(UnreadableStimulus, match=message("its values run from 0 to 7, expected 0 to 1")):
        decode(encoded(Image.fromarray(np.array([[0.0, 7.0]], np.float32)), "TIFF"), "a.png")


def test_integers_beyond_sixteen_bits_are_refused():
    image = Image.fromarray(np.array([[0, 70000]], np.int32))
    with pytest.raises(UnreadableStimulus, match=message("its values run from 0 to 70000, expected 0 to 65535")):
        decode(encoded(image, "TIFF"), "a.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    upright = Image.fromarray(np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = decode(encoded(stored, "PNG", exif=exif), "a")
    np.testing.assert_array_equal(np.asarray(out), np.asarray(upright))


def test_a_damaged_exif_block_leaves_the_pixels():
    out = decode(encoded(Image.new("RGB", (8, 8), (0, 255, 0)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), "a")
    assert out.size == (8, 8)


def test_of_an_animation_the_first_image_is_taken():
    frames = [Image.new("RGB", (3, 3), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    out = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a")
    assert out.getpixel((1, 1)) == (255, 0, 0)


def test_an_empty_file_says_so():
    with pytest.raises(UnreadableStimulus, match=message("the file is empty (0 bytes)")):
        decode(b"", "a.png")


def test_no_image_says_so():
    with pytest.raises(UnreadableStimulus, match=message("its 12 bytes are no image of a format known here")):
        decode(b"hello, world", "a.png")


def test_a_truncated_jpeg_is_refused_with_its_reason(rng):
    whole = encoded(Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "JPEG")
    reason = r"the image is damaged or truncated \(image file is truncated \(\d+ bytes not processed\)\)"
    with pytest.raises(UnreadableStimulus, match=rf"^Stimulus 'b.jpg' cannot be read: {reason}\. {re.escape(ADVICE)}$"):
        decode(whole[: len(whole) // 2], "b.jpg")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM"])
def test_damaged_bytes_raise_only_our_error(kind, rng):
    whole = encoded(Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)), kind)
    for _ in range(60):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        try:
            assert decode(bytes(data), "x").mode == "RGB"
        except UnreadableStimulus as error:
            assert str(error).startswith("Stimulus 'x' cannot be read: ")  # noqa: PT017  most damage leaves an image


@pytest.mark.parametrize("pixels", [30, 70])
def test_more_pixels_than_allowed_are_an_error_and_never_a_warning(monkeypatch, pixels):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels)
    data = encoded(Image.new("RGB", (10, 10)))
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.raises(
            UnreadableStimulus,
            match=message(f"it has 100 pixels, more than the {pixels} allowed, which {LIMIT_VARIABLE} changes"),
        ):
            decode(data, "a.png")


def test_filters_of_warnings_are_as_before_also_after_threads(rng):
    data = encoded(Image.fromarray(rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)))
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: decode(data, "a"), range(200)))
    assert list(warnings.filters) == before


def test_filling_in_truncated_images_is_refused(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    expected = (
        "PIL.ImageFile.LOAD_TRUNCATED_IMAGES is on, which fills what is missing of a damaged image with grey. "
        "Set it to False before opening stimuli."
    )
    with pytest.raises(BadInput, match=f"^{re.escape(expected)}$"):
        decode(b"x", "a")


def test_a_file_that_is_gone_a_folder_and_a_huge_file_are_sentences(tmp_path):
    gone = tmp_path / "gone.png"
    with pytest.raises(UnreadableStimulus, match=message("the file is not there", str(gone))):
        read_image(gone)
    with pytest.raises(UnreadableStimulus, match=message("it is a folder and no file", str(tmp_path))):
        read_image(tmp_path)
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(257 * 2**20)
    with pytest.raises(UnreadableStimulus, match=message("it has 257 MiB, more than the 256 MiB allowed", str(huge))):
        read_image(huge)
