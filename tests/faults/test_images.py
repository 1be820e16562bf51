"""Images: too large, of unusual kinds, damaged, or no images at all."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest
from PIL import Image

import stratoscope as st
from stratoscope.errors import BadInput, UnreadableStimulus
from stratoscope.stimuli.decode import LIMIT_VARIABLE, decode
from stratoscope.testing.hostile_images import HUGE, encoded, interlaced_png, rgb16_png


@pytest.mark.parametrize("kind", HUGE)
def test_a_header_of_60_000_by_60_000_is_refused_before_a_pixel_is_decoded(kind):
    """A header that claims 60,000 x 60,000 pixels (PNG, GIF, BMP, PPM, TIFF, WebP, JPEG) -> refused from the header; the sentence names the limit and what changes it."""
    data = HUGE[kind](60_000)
    tracemalloc.start()
    with pytest.raises(UnreadableStimulus) as refused:
        decode(data, "x")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    n = "268,402,689" if kind == "WEBP" else "3,600,000,000"
    said = (
        f"it has {n} pixels, more than the {Image.MAX_IMAGE_PIXELS:,} allowed, which STRATOSCOPE_MAX_PIXELS changes. "
    )
    assert str(refused.value).startswith(f"Stimulus 'x' cannot be read: {said}")


def test_the_limit_of_pixels_can_be_lowered_and_raised(monkeypatch):
    """An image above the limit that is meant so -> STRATOSCOPE_MAX_PIXELS=NUMBER allows it; Pillow's own limit is as before afterwards."""
    before = Image.MAX_IMAGE_PIXELS
    data = encoded(Image.new("RGB", (20, 20)), "PNG")
    monkeypatch.setenv(LIMIT_VARIABLE, "300")
    with pytest.raises(UnreadableStimulus, match="it has 400 pixels, more than the 300 allowed"):
        decode(data, "x")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    with pytest.raises(UnreadableStimulus, match="more than the 300 allowed"):
        decode(data, "x")
    monkeypatch.setenv(LIMIT_VARIABLE, "1_000")
    assert decode(data, "x").size == (20, 20)
    assert Image.MAX_IMAGE_PIXELS == 150
    monkeypatch.undo()
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("limit", ["", "0", "-4", "lots", "1e9", "9" * 40])
def test_a_limit_that_is_no_number_is_refused(monkeypatch, limit):
    """STRATOSCOPE_MAX_PIXELS that is no whole number -> refused, naming the variable."""
    monkeypatch.setenv(LIMIT_VARIABLE, limit)
    with pytest.raises(BadInput, match=re.escape(f"{LIMIT_VARIABLE} is {limit!r}, expected a whole number of pixels")):
        decode(encoded(Image.new("RGB", (2, 2)), "PNG"), "x")


def test_sixteen_bits_a_channel_are_scaled():
    """16-bit grey and 16-bit RGB PNG -> scaled to 8 bits (65535 becomes 255), never clipped."""
    values = [[[0, 257, 32896], [65535, 0, 65535]]]
    assert np.asarray(decode(rgb16_png(values), "x")).tolist() == [[[0, 1, 128], [255, 0, 255]]]
    grey = encoded(Image.fromarray(np.array([[0, 257, 32896, 65535]], dtype=np.uint16)), "PNG")
    assert np.asarray(decode(grey, "x"))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_cmyk_is_read_as_adobe_writes_it():
    """CMYK JPEG, with Adobe's marker or without -> RGB; the inks count as inverted, as Adobe writes them, marker or not."""
    cyan = encoded(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG", quality=100)
    assert b"Adobe" in cyan
    assert decode(cyan, "x").getpixel((8, 8)) == (0, 255, 255)
    start = cyan.index(b"\xff\xee")
    length = int.from_bytes(cyan[start + 2 : start + 4], "big")
    unmarked = cyan[:start] + cyan[start + 2 + length :]
    assert decode(unmarked, "x").getpixel((8, 8)) == (0, 255, 255)


def test_grey_alpha_and_palette_become_rgb_over_grey():
    """Grey, alpha, and palette with a transparent entry -> RGB; what is transparent shows mid-grey (128), never what lies under it."""
    palette = Image.new("P", (2, 1))
    palette.putpalette([200, 0, 0, 10, 20, 30])
    palette.putpixel((1, 0), 1)
    out = decode(encoded(palette, "PNG", transparency=bytes([0, 255])), "x")
    assert [out.getpixel((0, 0)), out.getpixel((1, 0))] == [(128, 128, 128), (10, 20, 30)]
    assert decode(encoded(Image.new("LA", (2, 2), (255, 0)), "PNG"), "x").getpixel((0, 0)) == (128, 128, 128)
    assert decode(encoded(Image.new("L", (2, 2), 9), "PNG"), "x").getpixel((0, 0)) == (9, 9, 9)


UNDO = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}


@pytest.mark.parametrize("orientation", UNDO)
def test_exif_rotation_is_obeyed_in_every_format_that_has_it(orientation):
    """EXIF rotation, all eight -> obeyed, in JPEG, PNG, TIFF and WebP alike, and said in run.toml (`decoding`)."""
    upright = Image.fromarray(np.kron([[0, 80], [160, 240], [40, 120]], np.ones((8, 8))).astype(np.uint8)).convert(
        "RGB"
    )
    stored = upright if UNDO[orientation] is None else upright.transpose(Image.Transpose(UNDO[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind, options in {"JPEG": {"quality": 100}, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}.items():
        out = decode(encoded(stored, kind, exif=exif, **options), "x")
        assert np.abs(np.asarray(out, dtype=int) - np.asarray(upright)).max() <= 3, kind


def test_the_run_says_how_images_were_read(place, type_in):
    """What was done to odd images, asked later -> the record of the run says it."""
    assert (
        type_in(
            "profile", "net.py:plain", "photos", "--size", 16, "--metrics", "two_nn", "--out", "run", "-q"
        ).exit_code
        == 0
    )
    said = st.open_results("run").run["stimuli"]["decoding"]
    assert "EXIF orientation applied" in said
    assert "transparency over grey 128" in said


def test_of_an_animation_the_first_image_is_taken():
    """Animated GIF -> its first image."""
    frames = [Image.new("RGB", (3, 3), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    out = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "x")
    assert out.getpixel((1, 1)) == (255, 0, 0)


def test_an_interlaced_png_is_read(rng):
    """Interlaced PNG -> read like any other."""
    values = rng.integers(0, 256, (13, 11, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(decode(interlaced_png(values), "x")), values)


def test_a_wrong_ending_does_not_matter(place):
    """Wrong ending (a JPEG called .png) -> read by its content."""
    (place / "photos/cat/0.png").write_bytes(encoded(Image.new("RGB", (16, 16), (9, 9, 9)), "JPEG"))
    assert st.open_stimuli("photos").load(0).size == (16, 16)


def test_truncated_at_any_place_is_refused_or_whole(rng):
    """Truncated JPEG, PNG, GIF, TIFF, WebP, BMP at any place -> refused with the reason, never filled up with grey."""
    values = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP"):
        whole = encoded(Image.fromarray(values), kind)
        image = np.asarray(decode(whole, "x"))
        for n in rng.integers(0, len(whole) - 1, 25):
            try:
                np.testing.assert_array_equal(np.asarray(decode(whole[:n], "x")), image)  # the end may be idle
            except UnreadableStimulus as error:
                assert str(error).startswith("Stimulus 'x' cannot be read: ")  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "data"),
    {
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\n%%EOF\n",
        "icon": encoded(Image.new("RGB", (16, 16)), "ICO"),
        "web page": b"<html>not found</html>",
        "vector drawing": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    }.items(),
)
def test_only_formats_of_pixels_are_tried(name, data, monkeypatch):
    """PostScript, SVG, an icon or a web page called .png -> refused as no image; no helper program is ever started."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail(f"{name} started a program"))
    with pytest.raises(UnreadableStimulus, match=f"its {len(data)} bytes are no image of a format known here"):
        decode(data, "x")
