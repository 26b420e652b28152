"""Models on disk: documented, versioned, and free of code.

A model file is a `safetensors <https://github.com/huggingface/safetensors>`_ file: eight bytes
that hold the length of a JSON header, the header, and the arrays, little-endian. Reading one
runs nothing, whatever it contains. Format version 1 has these arrays:

=========  ==========  ========================  =============================================
name       type        shape                     meaning
=========  ==========  ========================  =============================================
centroids  F32 or F64  (n_clusters, n_features)  the centroids, in the type of the rows
offset     as above    (n_features,)             with ``scale`` or absent: rows are clustered
scale      as above    (n_features,)             as ``(x - offset) / scale``
sizes      I64         (n_clusters,)             may be absent: rows per cluster in the fit
=========  ==========  ========================  =============================================

The header's ``__metadata__`` has one entry, ``truemeans``, whose text is a JSON object:

``format_version``
    1. A reader refuses a version it does not know.
``library_version``
    The release of truemeans that wrote the file.
``n_clusters``, ``n_features``, ``dtype``
    The shape of the centroids, and ``"float32"`` or ``"float64"``.
``feature_names``
    One name per feature, or null.
``inertia``, ``n_iter``, ``converged``
    How the fit ended; ``converged`` is null where it is not known.
``params``
    The parameters of the fit that are numbers, text, true, false or null.
``sha256``
    Of this object without this entry, written with sorted keys and no spaces, followed for
    each array in the order of names by ``name``, ``dtype``, ``shape`` (as
    ``"centroids float64 3x4"``) and its bytes. It finds damage; it is no signature.

The same model is the same bytes, everywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.files import check_source, replacing
from truemeans.model import FORMAT_VERSION, Model, model_from_estimator, to_estimator

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "FORMAT_VERSION",
    "Model",
    "from_bytes",
    "load",
    "model_from_estimator",
    "read",
    "save_estimator",
    "to_bytes",
    "to_estimator",
    "write",
]

_KEY = "truemeans"
_MAX_FILE_BYTES = 4 << 30
_MAX_HEADER_BYTES = 64 << 20
_ARRAYS = ("centroids", "offset", "scale", "sizes")


def to_bytes(model: Model) -> bytes:
    """Return a model as the bytes of a model file."""
    from safetensors.numpy import save

    arrays = {n: np.ascontiguousarray(a) for n in _ARRAYS if (a := getattr(model, n)) is not None}
    about = {
        "format_version": model.format_version,
        "library_version": model.library_version,
        "n_clusters": model.n_clusters,
        "n_features": model.n_features,
        "dtype": str(model.centroids.dtype),
        "feature_names": None if model.feature_names is None else list(model.feature_names),
        "inertia": model.inertia,
        "n_iter": model.n_iter,
        "converged": model.converged,
        "params": dict(model.params),
    }
    about["sha256"] = _digest(about, arrays)
    return save(arrays, metadata={_KEY: json.dumps(about, sort_keys=True)})


def _digest(about: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = hashlib.sha256(text.encode("ascii"))
    for name in sorted(arrays):
        array = arrays[name]
        shape = "x".join(map(str, array.shape))
        digest.update(f"{name} {array.dtype} {shape}".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def from_bytes(content: bytes, name: str = "the model") -> Model:
    """Return the model that the bytes of a model file hold.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str
        How messages name it.

    Raises
    ------
    ValueError
        If they hold no model, a damaged one, or one of a newer format.
    """
    try:
        return _parse(content)
    except RecursionError:
        reason = "its header is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise ValueError(f"{name} is not a model that truemeans can read: {reason}")


def _parse(content: bytes) -> Model:
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_arrays

    about = _metadata(content)
    version = about.get("format_version")
    if type(version) is not int or version < 1:
        raise ValueError("it does not say its format_version; write it again with KMeans.save")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"its format_version is {version}, and this release reads up to {FORMAT_VERSION}; "
            "install a newer truemeans"
        )
    try:
        arrays = load_arrays(content)
    # safetensors.numpy looks the type up in a dict of those NumPy has.
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"its arrays are damaged ({error}); get a fresh copy") from None
    digest = about.pop("sha256", None)
    if digest != _digest(about, arrays):
        raise ValueError("its checksum does not match its content; get a fresh copy")
    return _build(about, arrays)


def _metadata(content: bytes) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(len(content) - 8, _MAX_HEADER_BYTES):
        # A header of 640 bytes begins like a pickle too, but a pickle's length is out of bounds.
        if content[:1] == b"\x80" and content[1:2] <= b"\x05":
            raise ValueError(
                "it looks like a pickle, which could run code when loaded; fit again and save the "
                "model with KMeans.save or truemeans fit"
            )
        raise ValueError("it is cut short or of another kind; name a file that truemeans wrote")
    try:
        header = json.loads(content[8 : 8 + length])
        about = json.loads(header["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError):
        raise ValueError("its header is not that of a model; name a file truemeans wrote") from None
    if not isinstance(about, dict):
        raise ValueError("its header is not that of a model; name a file truemeans wrote")
    return about


def _build(about: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Model:
    """Make the model, holding what the header says against the arrays."""
    unknown = set(arrays) - set(_ARRAYS)
    if "centroids" not in arrays or unknown:
        raise ValueError(f"its arrays are {sorted(arrays)}, and they must be among {_ARRAYS}")
    centroids = arrays["centroids"]
    said = (about.get("n_clusters"), about.get("n_features"), about.get("dtype"))
    if said != (*centroids.shape, str(centroids.dtype)):
        raise ValueError("its centroids are not of the shape and type that its header says")
    missing = {"feature_names", "inertia", "n_iter", "converged", "params", "library_version"}
    missing -= about.keys()
    if missing:
        raise ValueError(f"its header lacks {', '.join(sorted(missing))}; get a fresh copy")
    names = about["feature_names"]
    if not isinstance(names, list | None) or not isinstance(about["params"], dict):
        raise ValueError("its feature_names or params are of the wrong type; get a fresh copy")
    return Model(
        inertia=about["inertia"],
        n_iter=about["n_iter"],
        converged=about["converged"],
        feature_names=None if names is None else tuple(names),
        params=about["params"],
        library_version=about["library_version"],
        format_version=about["format_version"],
        **arrays,
    )


def write(path: str | os.PathLike[str], model: Model, overwrite: bool = False) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file.
    model : Model
        What to write.
    overwrite : bool, default=False
        Whether a file that is there already may be replaced.

    Raises
    ------
    OSError
        If the file exists and may not be replaced, or cannot be written.
    """
    with replacing(Path(path), overwrite=overwrite) as handle:
        handle.write(to_bytes(model))


def read(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Raises
    ------
    OSError
        If the file is not there or may not be read.
    ValueError
        If it is not a model file, is damaged, or is of a newer format.
    """
    file = Path(path)
    check_source(file)
    if not file.is_file():
        raise ValueError(f"{file} is not a regular file, and a model is one; name a model file")
    size = file.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise ValueError(
            f"{file} has {size:,} bytes, and a model file has at most {_MAX_FILE_BYTES:,}; "
            "name a file that truemeans wrote"
        )
    return from_bytes(file.read_bytes(), str(file))


def load(path: str | os.PathLike[str]) -> Any:
    """Return the fitted estimator that a model file holds.

    Parameters
    ----------
    path : str or path-like
        A file from ``truemeans fit`` or `KMeans.save`.

    Returns
    -------
    KMeans or sklearn.pipeline.Pipeline
        A fitted `KMeans`; or, for a model of standardised features, a pipeline of
        ``StandardScaler`` and `KMeans`, which takes rows as they are in the data.
        It has no ``labels_``, for the rows of the fit are not in the file.
    """
    return to_estimator(read(path))


def save_estimator(km: Any, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a fitted `KMeans` as a model file.

    Parameters
    ----------
    km : KMeans
        Fitted.
    path : str or path-like
        The file.
    overwrite : bool, default=False
        Whether a file that is there already may be replaced.
    """
    write(path, model_from_estimator(km), overwrite)
