"""``truemeans palette``: colours as k-means finds them, in pictures of every kind."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from sklearn.datasets import load_sample_image

import truemeans
from commands import COMMAND, enter, typed
from truemeans.pictures import from_lab, hex_of, read_picture, to_lab

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def tm(capsys):
    return typed(capsys)


def save(pixels, name="a.png", **given):
    if isinstance(pixels, list):
        pixels = np.array(pixels, np.uint8)
    Image.fromarray(pixels).save(name, **given)
    return name


def pixels_of(name):
    with Image.open(name) as image:
        return np.asarray(image.convert("RGBA"))


def colours_of(name):
    """The different colours that can be seen, as hex, and how much of the picture each fills."""
    picture = read_picture(Path(name))
    total = picture.weights.sum()
    return {hex_of(c): w / total for c, w in zip(picture.colors, picture.weights, strict=True)}


# -- colours -------------------------------------------------------------------------------


def test_cielab_has_the_published_values():
    lab = to_lab(np.array([WHITE, (0, 0, 0), RED, GREEN, BLUE, (119, 119, 119)], np.uint8))
    expected = [  # B. Lindbloom's calculator, D65, sRGB, rounded to two decimals
        [100.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
        [53.24, 80.09, 67.20],
        [87.73, -86.18, 83.18],
        [32.30, 79.19, -107.86],
        [50.03, 0.0, 0.0],
    ]
    np.testing.assert_allclose(lab, expected, atol=0.02)
    assert lab.dtype == np.float32


def test_colours_come_back_from_cielab():
    levels = np.r_[0:256:15, 1, 2, 3, 10, 11, 254].astype(np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    np.testing.assert_array_equal(from_lab(to_lab(colors)), colors)
    np.testing.assert_array_equal(from_lab(np.array([[50.0, 120.0, -150.0]]))[0, 1], 0)


# -- the command ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_a_photograph_in_eight_colours(tm, name):
    original = load_sample_image(name)
    save(original, "photo.png")
    code, out, err = tm("palette", "photo.png", "-k", 8, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    pixels = pixels_of("photo.quantised.png")[..., :3]
    assert pixels.shape == original.shape
    used, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    shares = {color["hex"]: color["share"] for color in found["colors"]}
    assert {hex_of(c): n for c, n in zip(used, counts, strict=True)} == {
        h: round(share * len(pixels.reshape(-1, 3))) for h, share in shares.items()
    }
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    # Folding the pixels to colours changed nothing: k-means of all pixels gives the same.
    everything = truemeans.k_means(to_lab(original.reshape(-1, 3)), 8, random_state=0)
    assert everything.inertia == found["inertia"]
    mine = from_lab(everything.centroids)[everything.labels].reshape(original.shape)
    np.testing.assert_array_equal(pixels, mine)
    assert (found["width"], found["height"]) == original.shape[1::-1]


def test_what_is_printed_and_written(tm, folder):
    save([[RED, RED, RED, BLUE]] * 2 + [[WHITE] * 4], "flag.png")
    code, out, err = tm("palette", "flag.png", "-k", 3)
    assert (code, err) == (0, "")
    for words in ("4 × 3 pixels, 3 colours", "flag.quantised.png", "flag.palette.png", " is 0.0 "):
        assert words in out
    lines = [line.split() for line in out.splitlines() if "#" in line]
    assert lines == [
        ["#FF0000", "50.0", "%"],
        ["#FFFFFF", "33.3", "%"],
        ["#0000FF", "16.7", "%"],
    ]
    assert sorted(os.listdir(folder)) == ["flag.palette.png", "flag.png", "flag.quantised.png"]
    np.testing.assert_array_equal(pixels_of("flag.quantised.png"), pixels_of("flag.png"))
    bar = pixels_of("flag.palette.png")[60, :, :3]
    for color, share in ((RED, 1 / 2), (WHITE, 1 / 3), (BLUE, 1 / 6)):
        filled = (bar[24:-24] == color).all(axis=1).mean()
        assert filled == pytest.approx(share, abs=2 / len(bar))


def test_the_same_picture_gives_the_same_bytes(tm):
    save(load_sample_image("flower.jpg")[::4, ::4])
    for run in ("1", "2"):
        tm("palette", "a.png", "-k", 5, "-o", f"q{run}.png", "--swatches", f"s{run}.png", "-q")
    for kind in "qs":
        assert Path(f"{kind}1.png").read_bytes() == Path(f"{kind}2.png").read_bytes()


def test_few_colours_make_a_small_file_and_many_a_plain_one(tm):
    save(load_sample_image("china.jpg")[::2, ::2])
    tm("palette", "a.png", "-k", 256, "-o", "few.png", "-q", "--swatches", "s.png")
    tm("palette", "a.png", "-k", 257, "-o", "many.png", "-q", "-f", "--swatches", "s.png")
    for name, mode in (("few.png", "P"), ("many.png", "RGB")):
        with Image.open(name) as image:
            assert image.mode == mode


# -- kinds of pictures ---------------------------------------------------------------------


def test_transparent_pixels_have_no_colour_and_stay_transparent(tm):
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[0] = (*RED, 255)
    pixels[1, :2] = (*BLUE, 51)  # two pixels that count a fifth each
    pixels[1, 2] = (*GREEN, 0)
    save(pixels)
    code, out, _ = tm("palette", "a.png", "-k", 2, "--json")
    assert code == 0
    found = json.loads(out)["colors"]
    assert [color["hex"] for color in found] == ["#FF0000", "#0000FF"]
    assert found[0]["share"] == pytest.approx(3 / 3.4, rel=1e-12)
    written = pixels_of("a.quantised.png")
    np.testing.assert_array_equal(written[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(written[written[..., 3] > 0], pixels[pixels[..., 3] > 0])


def indexed(*, transparent):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    image.putpalette(bytes([*RED, *GREEN, *BLUE]))
    image.save("a.png", **({"transparency": 1} if transparent else {}))


def test_pictures_with_a_palette_of_their_own():
    indexed(transparent=False)
    assert colours_of("a.png") == dict.fromkeys(["#FF0000", "#00FF00", "#0000FF"], 1 / 3)
    indexed(transparent=True)
    assert colours_of("a.png") == dict.fromkeys(["#FF0000", "#0000FF"], 1 / 2)


def test_greys():
    save(np.array([[0, 100, 100, 255]], np.uint8))
    assert colours_of("a.png") == {"#000000": 0.25, "#646464": 0.5, "#FFFFFF": 0.25}
    Image.fromarray(np.array([[True, False]])).save("b.png")
    assert colours_of("b.png") == {"#000000": 0.5, "#FFFFFF": 0.5}
    Image.fromarray(np.array([[[9, 255], [7, 0]]], np.uint8)).save("la.png")
    assert colours_of("la.png") == {"#090909": 1.0}


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_greys_are_scaled_and_not_cut(tm, suffix):
    save(np.array([[0, 257 * 100, 65535, 65535]], np.uint16), f"a.{suffix}")
    code, out, _ = tm("palette", f"a.{suffix}", "-k", 3)
    assert code == 0
    assert "16-bit greys brought to 8 bits." in out
    assert colours_of(f"a.{suffix}") == {"#000000": 0.25, "#646464": 0.25, "#FFFFFF": 0.5}


def test_cmyk():
    image = Image.fromarray(np.array([[RED, BLUE]], np.uint8)).convert("CMYK")
    image.save("a.tif")
    assert set(colours_of("a.tif")) == {"#FF0000", "#0000FF"}


def test_what_the_camera_noted_turns_the_picture(tm):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    save([[RED, GREEN, BLUE]], exif=exif)
    code, out, _ = tm("palette", "a.png", "-k", 3)
    assert code == 0
    assert "1 × 3 pixels" in out
    assert "Turned upright, as the camera noted." in out
    np.testing.assert_array_equal(pixels_of("a.quantised.png")[:, 0, :3], [RED, GREEN, BLUE])


def test_colours_of_another_profile_are_brought_to_srgb(tm):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    save([[RED, BLUE]], icc_profile=profile.tobytes())
    assert set(colours_of("a.png")) == {"#FF0000", "#0000FF"}
    save([[RED, BLUE]], "b.png", icc_profile=b"no profile at all")
    _, out, _ = tm("palette", "b.png", "-k", 2)
    assert "Its colour profile cannot be read, so its colours are taken as sRGB." in out
    other = profile.tobytes().replace("sRGB".encode("utf-16-be"), "Mine".encode("utf-16-be"))
    save([[RED, BLUE]], "c.png", icc_profile=_swap_primaries(other))
    _, out, _ = tm("palette", "c.png", "-k", 2)
    assert "Colours brought from the profile Mine" in out
    assert set(pixels_of("c.quantised.png")[0, :, :3].argmax(axis=1)) == {0, 2}
    assert pixels_of("c.quantised.png")[0, 0, 2] == 255  # what was called red is blue


def _swap_primaries(profile):
    """A profile in which red and blue have changed places."""
    return profile.replace(b"rXYZ", b"tmp0").replace(b"bXYZ", b"rXYZ").replace(b"tmp0", b"bXYZ")


def test_the_first_picture_of_a_camera_s_two_is_taken():
    one, two = Image.new("RGB", (4, 4), RED), Image.new("RGB", (4, 4), BLUE)
    one.save("a.mpo", save_all=True, append_images=[two], quality=100)
    ((color, _),) = colours_of("a.mpo").items()
    assert color.startswith("#F")


# -- refused -------------------------------------------------------------------------------


def complaint(tm, folder, *arguments):
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    code, out, err = tm("palette", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("truemeans: ")
    assert err.count("\n") == 1
    assert {p: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    return err


def test_animations_are_refused(tm, folder):
    frames = [Image.new("RGB", (2, 2), c) for c in (RED, BLUE, GREEN)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    assert "a.gif holds 3 pictures" in complaint(tm, folder, "a.gif")


def test_pictures_that_cannot_be_read_are_refused(tm, folder):
    Path("text.png").write_text("hello")
    assert "text.png is not a picture" in complaint(tm, folder, "text.png")
    save(load_sample_image("china.jpg"), "whole.png")
    Path("half.png").write_bytes(Path("whole.png").read_bytes()[:20_000])
    assert "half.png cannot be read to its end" in complaint(tm, folder, "half.png")
    Path("empty.png").touch()
    assert "empty.png is not a picture" in complaint(tm, folder, "empty.png")
    assert "whole.pn does not exist; did you mean whole.png" in complaint(tm, folder, "whole.pn")
    Path("folder").mkdir()
    assert "folder is a folder" in complaint(tm, folder, "folder")


def test_kinds_without_a_plain_way_to_eight_bits_are_refused(tm, folder):
    save(np.array([[0.5, 1.0]], np.float32), "a.tif")
    assert "pixels of the kind F" in complaint(tm, folder, "a.tif")
    save(np.array([[1, 70_000]], np.int32), "b.tif")
    assert "greys beyond 16 bits" in complaint(tm, folder, "b.tif")
    save(np.zeros((2, 2, 4), np.uint8), "c.png")
    assert "transparent all over" in complaint(tm, folder, "c.png")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(tm, folder):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    Path("bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    assert "bomb.png has more than" in complaint(tm, folder, "bomb.png")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-k", 3], "-k 3: a.png has 2 different colours; ask for 2 at most"),
        (["-k", 0], "-k is 0, and must be at least 1"),
        (["-k", 2, "--n-init", 0], "--n-init is 0"),
        (["-k", 2, "--seed", -1], "--seed is -1"),
        (["-k", 2, "-o", "b.jpg"], "--output b.jpg does not end in .png"),
        (["-k", 2, "-o", "a.png", "-f"], "--output a.png is the picture itself"),
        (["-k", 2, "--swatches", "./a.png", "-f"], "--swatches a.png is the picture itself"),
        (["-k", 2, "-o", "b.png", "--swatches", "b.png"], "are both b.png"),
        (["-k", 2, "-o", "none/b.png"], "its folder does not exist"),
    ],
)
def test_wrong_options_are_refused(tm, folder, arguments, words):
    save([[RED, BLUE]])
    assert words in complaint(tm, folder, "a.png", *arguments)


def test_files_are_replaced_with_force_only(tm, folder):
    save([[RED, BLUE]])
    assert tm("palette", "a.png", "-k", 2, "-q") == (0, "", "")
    for name in ("a.quantised.png", "a.palette.png"):
        Path(name).rename("other")
        Path("a.quantised.png").unlink(missing_ok=True)
        Path("a.palette.png").unlink(missing_ok=True)
        Path(name).write_text("mine")
        assert f"{name} exists already" in complaint(tm, folder, "a.png", "-k", 2)
        assert tm("palette", "a.png", "-k", 2, "-q", "--force") == (0, "", "")
        assert Path(name).read_bytes().startswith(b"\x89PNG")


def test_without_pillow_one_sentence_says_what_to_install():
    save([[RED, BLUE]])
    code = "import sys; sys.modules['PIL'] = None; from truemeans.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "palette", "a.png"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'truemeans[pictures]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_terminal_shows_the_colours_themselves():
    from commands import Terminal

    save([[RED, BLUE]])
    terminal = Terminal(["palette", "a.png", "-k", "2"])
    assert terminal.wait() == 0
    assert "\x1b[" in terminal.seen
    assert "#FF0000" in terminal.seen


def test_in_a_process_of_its_own():
    save([[RED, BLUE]])
    done = subprocess.run([*COMMAND, "palette", "a.png", "-k", "2", "--json"], capture_output=True)
    assert done.returncode == 0
    assert io.BytesIO(done.stdout).readline().startswith(b'{"command": "palette"')
