"""Model files: what is written is read, and nothing else is."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import truemeans
from truemeans import model_file
from truemeans.files import check_target, replacing
from truemeans.model import FORMAT_VERSION, Model

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"


def example(**changes) -> Model:
    model = Model(
        centroids=np.array([[1.0, 2.0], [0.1, -0.0], [5e-324, 1e300]]),
        inertia=0.1,
        n_iter=7,
        converged=True,
        feature_names=("größe", "b\n\x1b"),
        offset=np.array([1.0, -2.0]),
        scale=np.array([3.0, 1.0]),
        sizes=np.array([1, 0, 2]),
        params={"n_clusters": 3, "init": "k-means++", "tol": 1e-4, "random_state": None},
        library_version="0.1.0",
    )
    return replace(model, **changes)


BYTES = model_file.to_bytes(example())


def header_and_arrays(content: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def assembled(header: dict | bytes, arrays: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + arrays


def with_about(change) -> bytes:
    """Return the example's file after a change of its metadata, which keeps the old checksum."""
    header, arrays = header_and_arrays(BYTES)
    about = json.loads(header["__metadata__"]["truemeans"])
    change(about)
    header["__metadata__"]["truemeans"] = json.dumps(about)
    return assembled(header, arrays)


class TestRoundTrip:
    def test_every_field(self):
        model = model_file.from_bytes(BYTES)
        expected = example()
        for name in ("centroids", "offset", "scale", "sizes"):
            one, other = getattr(model, name), getattr(expected, name)
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()
        for name in ("inertia", "n_iter", "converged", "feature_names", "params"):
            assert getattr(model, name) == getattr(expected, name)
        assert (model.library_version, model.format_version) == ("0.1.0", FORMAT_VERSION)

    @given(
        hnp.arrays(
            st.sampled_from([np.float32, np.float64]),
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
            elements={"allow_nan": False, "allow_infinity": False},
        ),
        st.floats(0, allow_infinity=False),
        st.sampled_from([True, False, None]),
        st.data(),
    )
    def test_any_model(self, centroids, inertia, converged, data):
        n_features = centroids.shape[1]
        names = st.lists(st.text(), min_size=n_features, max_size=n_features).map(tuple)
        model = Model(
            centroids=centroids,
            inertia=inertia,
            n_iter=3,
            converged=converged,
            feature_names=data.draw(st.none() | names),
        )
        content = model_file.to_bytes(model)
        again = model_file.from_bytes(content)
        assert again.centroids.tobytes() == centroids.tobytes()
        assert (again.inertia, again.feature_names) == (inertia, model.feature_names)
        assert model_file.to_bytes(again) == content

    def test_layout_of_rows_does_not_matter(self):
        model = example()
        other = replace(model, centroids=np.asfortranarray(model.centroids))
        assert model_file.to_bytes(other) == BYTES

    def test_same_bytes_from_every_process(self):
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); import test_model_file as t; "
            "sys.stdout.buffer.write(t.model_file.to_bytes(t.example()))"
        )
        for seed in ("1", "2"):
            env = {**os.environ, "PYTHONHASHSEED": seed}
            command = [sys.executable, "-c", code, str(Path(__file__).parent)]
            assert subprocess.run(command, env=env, capture_output=True, check=True).stdout == BYTES

    def test_any_safetensors_reader_reads_the_arrays(self):
        from safetensors.numpy import load

        assert load(BYTES)["centroids"].tolist() == example().centroids.tolist()


class TestDamage:
    """Every file is the model that was written, or a ValueError that names the file."""

    @staticmethod
    def check(content: bytes) -> None:
        try:
            model = model_file.from_bytes(content, "x.truemeans")
        except ValueError as error:
            sentence = str(error)
            assert sentence.startswith("x.truemeans is not a model that truemeans can read: ")
            assert "\n" not in sentence
        else:
            assert model_file.to_bytes(model) == BYTES

    def test_every_cut(self):
        for size in range(len(BYTES)):
            with pytest.raises(ValueError, match="is not a model"):
                model_file.from_bytes(BYTES[:size])

    def test_every_flipped_bit(self):
        for i in range(len(BYTES)):
            for bit in range(8):
                bad = bytearray(BYTES)
                bad[i] ^= 1 << bit
                self.check(bytes(bad))

    def test_every_flipped_bit_of_the_arrays_is_found(self):
        _, arrays = header_and_arrays(BYTES)
        for i in range(len(BYTES) - len(arrays), len(BYTES)):
            bad = bytearray(BYTES)
            bad[i] ^= 1
            with pytest.raises(ValueError, match="checksum"):
                model_file.from_bytes(bytes(bad))

    @settings(max_examples=300)
    @given(st.data())
    def test_splices(self, data):
        bad = bytearray(BYTES)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(bad)))
            bad[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
        self.check(bytes(bad))

    @given(st.binary(max_size=400))
    def test_random_bytes(self, content):
        with pytest.raises(ValueError, match="is not a model"):
            model_file.from_bytes(content)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (pickle.dumps(example().centroids), "looks like a pickle"),
            (b"PK\x03\x04" + bytes(100), "cut short or of another kind"),
            (b"a,b\n1,2\n" * 9, "cut short or of another kind"),
            (struct.pack("<Q", 2**63) + bytes(99), "cut short or of another kind"),
            (assembled(b"[" * 100_000, b""), "nested too deeply"),
            (assembled({"__metadata__": {"truemeans": "[" * 100_000}}, b""), "nested too deeply"),
            (assembled(b"\xff\xfe{}", b""), "header is not that of a model"),
            (assembled({"__metadata__": {"format": "pt"}}, b""), "header is not that of a model"),
            (
                assembled({"__metadata__": {"truemeans": "[]"}}, b""),
                "header is not that of a model",
            ),
            (assembled([1], b""), "header is not that of a model"),
            (with_about(lambda a: a.pop("format_version")), "does not say its format_version"),
            (
                with_about(lambda a: a.update(format_version=True)),
                "does not say its format_version",
            ),
            (with_about(lambda a: a.update(format_version=2)), "reads up to 1; install a newer"),
            (with_about(lambda a: a.update(n_iter=8)), "checksum"),
            (with_about(lambda a: a.pop("sha256")), "checksum"),
        ],
    )
    def test_hostile_files(self, content, sentence):
        with pytest.raises(ValueError, match=sentence):
            model_file.from_bytes(content)

    def test_sizes_that_do_not_fit_the_file(self):
        header, arrays = header_and_arrays(BYTES)
        for shape in ([2**40, 2**40], [2**62, 4], [3, 3], [-3, 2], [3.0, 2], []):
            changed = {**header, "centroids": {**header["centroids"], "shape": shape}}
            with pytest.raises(ValueError, match="its arrays are damaged"):
                model_file.from_bytes(assembled(changed, arrays))

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"n_clusters": 2}, "shape and type that its header says"),
            ({"dtype": "float32"}, "shape and type that its header says"),
            ({"feature_names": ["a"]}, "one name per feature"),
            ({"feature_names": "ab"}, "feature_names or params are of the wrong type"),
            ({"feature_names": ["a", 1]}, "one name per feature"),
            ({"params": []}, "feature_names or params are of the wrong type"),
            ({"params": {"a": [1]}}, "params must be numbers"),
            ({"inertia": "1"}, "inertia must be"),
            ({"inertia": -1.0}, "inertia must be"),
            ({"n_iter": -1}, "n_iter must be"),
            ({"n_iter": True}, "n_iter must be"),
            ({"converged": 1}, "converged must be"),
            ({"library_version": None}, "library_version must be"),
        ],
    )
    def test_well_made_files_that_contradict_themselves(self, change, sentence):
        """The checksum is right, as a forger would have it; what it covers is not."""
        header, arrays = header_and_arrays(BYTES)
        about = json.loads(header["__metadata__"]["truemeans"])
        about.update(change)
        about.pop("sha256")
        model = example()
        named = {name: getattr(model, name) for name in ("centroids", "offset", "scale", "sizes")}
        about["sha256"] = model_file._digest(about, named)
        header["__metadata__"]["truemeans"] = json.dumps(about)
        with pytest.raises(ValueError, match=sentence):
            model_file.from_bytes(assembled(header, arrays))

    @pytest.mark.parametrize("names", [["offset", "scale"], ["centroids", "code"]])
    def test_other_arrays(self, names):
        from safetensors.numpy import save

        header, _ = header_and_arrays(BYTES)
        about = json.loads(header["__metadata__"]["truemeans"])
        del about["sha256"]
        arrays = dict.fromkeys(names, np.ones((3, 2)))
        about["sha256"] = model_file._digest(about, arrays)
        with pytest.raises(ValueError, match=r"its arrays are \[.*and they must be among"):
            model_file.from_bytes(save(arrays, {"truemeans": json.dumps(about)}))

    def test_missing_entries(self):
        for name in ("inertia", "n_iter", "converged", "params", "library_version"):
            header, arrays = header_and_arrays(BYTES)
            about = json.loads(header["__metadata__"]["truemeans"])
            del about[name], about["sha256"]
            model = example()
            named = {n: getattr(model, n) for n in ("centroids", "offset", "scale", "sizes")}
            about["sha256"] = model_file._digest(about, named)
            header["__metadata__"]["truemeans"] = json.dumps(about)
            with pytest.raises(ValueError, match=f"its header lacks {name}"):
                model_file.from_bytes(assembled(header, arrays))


class TestRecord:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"centroids": np.ones((3, 2), np.float16)}, "centroids must be float32 or float64"),
            ({"centroids": np.ones(2)}, "centroids must have two dimensions"),
            ({"centroids": np.ones((0, 2))}, "centroids must have two dimensions and values"),
            ({"centroids": np.full((3, 2), np.nan)}, "centroids must be finite"),
            ({"inertia": np.inf}, "inertia must be a finite number"),
            ({"offset": None}, "offset and scale must come together"),
            ({"offset": np.ones(3)}, "offset and scale must be finite, one per feature"),
            ({"offset": np.ones(2, np.float32)}, "in the type of the centroids"),
            ({"scale": np.array([1.0, 0.0])}, "scale must be positive"),
            ({"sizes": np.array([1, 2])}, "sizes must be one whole number per cluster"),
            ({"sizes": np.array([1, -1, 2])}, "sizes must be one whole number per cluster"),
            ({"params": {"init": [[1.0]]}}, "params must be numbers"),
        ],
    )
    def test_rules(self, changes, sentence):
        with pytest.raises(ValueError, match=f"^a model's .*{sentence}"):
            example(**changes)


class TestFiles:
    def test_write_and_read(self, tmp_path):
        path = tmp_path / "m.truemeans"
        model_file.write(path, example())
        assert path.read_bytes() == BYTES
        assert model_file.to_bytes(model_file.read(str(path))) == BYTES

    def test_no_overwriting_unless_asked(self, tmp_path):
        path = tmp_path / "m.truemeans"
        path.write_text("mine")
        with pytest.raises(FileExistsError, match=r"m\.truemeans exists already .* overwrite=True"):
            model_file.write(path, example())
        assert path.read_text() == "mine"
        model_file.write(path, example(), overwrite=True)
        assert path.read_bytes() == BYTES
        assert os.listdir(tmp_path) == ["m.truemeans"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
    def test_whole_or_not_at_all(self, tmp_path, error):
        path = tmp_path / "m.truemeans"
        path.write_text("before")

        def fail() -> None:
            with replacing(path, overwrite=True) as handle:
                handle.write(b"half")
                raise error

        with pytest.raises(error):
            fail()
        assert path.read_text() == "before"
        assert os.listdir(tmp_path) == ["m.truemeans"]

    def test_someone_else_was_first(self, tmp_path):
        path = tmp_path / "m.truemeans"
        with pytest.raises(FileExistsError), replacing(path, overwrite=False):
            path.write_text("theirs")
        assert path.read_text() == "theirs"
        assert os.listdir(tmp_path) == ["m.truemeans"]

    def test_permissions_and_links_stay(self, tmp_path):
        path, link = tmp_path / "m.truemeans", tmp_path / "link"
        path.touch()
        path.chmod(0o640)
        link.symlink_to(path)
        model_file.write(link, example(), overwrite=True)
        assert link.is_symlink()
        assert path.read_bytes() == BYTES
        assert path.stat().st_mode & 0o777 == 0o640

    def test_new_files_get_the_usual_permissions(self, tmp_path):
        model_file.write(tmp_path / "m.truemeans", example())
        (tmp_path / "usual").touch()
        modes = {path.stat().st_mode for path in tmp_path.iterdir()}
        assert len(modes) == 1

    def test_targets_that_cannot_be_written(self, tmp_path, monkeypatch):
        with pytest.raises(FileNotFoundError, match="its folder does not exist; create"):
            check_target(tmp_path / "no" / "m", overwrite=True)
        with pytest.raises(ValueError, match="is a folder"):
            check_target(tmp_path, overwrite=True)
        with pytest.raises(ValueError, match="is not a regular file and is not replaced"):
            check_target(Path(os.devnull), overwrite=True)
        # The tests may run as a user who may write anywhere.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(PermissionError, match="may not write to its folder"):
            check_target(tmp_path / "m", overwrite=True)

    def test_what_cannot_be_read(self, tmp_path, monkeypatch):
        with pytest.raises(FileNotFoundError, match=r"m\.truemeans does not exist"):
            truemeans.load(tmp_path / "m.truemeans")
        with pytest.raises(ValueError, match="is a folder"):
            truemeans.load(tmp_path)
        with pytest.raises(ValueError, match="/dev/null is not a regular file"):
            truemeans.load(os.devnull)
        path = tmp_path / "m.truemeans"
        path.write_bytes(b"")
        with pytest.raises(ValueError, match=r"m\.truemeans is not a model .* cut short"):
            truemeans.load(path)
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(PermissionError, match="may not be read by this user"):
            truemeans.load(path)

    def test_larger_than_any_model(self, tmp_path):
        path = tmp_path / "m.truemeans"
        with open(path, "wb") as handle:
            handle.truncate((4 << 30) + 1)
        with pytest.raises(
            ValueError, match="has 4,294,967,297 bytes, and a model file has at most"
        ):
            truemeans.load(path)
