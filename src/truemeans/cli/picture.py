"""The picture that ``truemeans fit --plot`` writes."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from truemeans.cli.outputs import Outputs, Request
    from truemeans.model import Model

__all__ = ["choose_picture", "draw_picture"]

# Left out of the file: what differs from one run to the next.
_METADATA = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def choose_picture(name: str | None, request: Request, outputs: Outputs) -> Path | None:
    """Return where the picture goes, and raise when it cannot go there.

    Parameters
    ----------
    name : str or None
        What ``--plot`` says.
    request : Request
        The other options.
    outputs : Outputs
        Where the other results go.
    """
    if name is None:
        return None
    from truemeans.files import check_target, same_file
    from truemeans.validation.plots import require_matplotlib

    path = Path(name)
    if path.suffix.lower() not in _METADATA:
        raise ValueError(
            f"--plot {path} must end in .png, .svg or .pdf, which says how it is drawn; "
            "name such a file"
        )
    taken = {"--output": outputs.table, "--model": outputs.model, "FILE": Path(request.file)}
    for what, other in taken.items():
        if other is not None and same_file(other, path):
            raise ValueError(f"--plot and {what} are both {path}, and need a file each; change one")
    check_target(path, overwrite=request.force, consent="--force")
    require_matplotlib()
    return path


def draw_picture(path: Path, model: Model, X: npt.NDArray[Any], title: str) -> bytes:
    """Return the picture of the clusters, as the suffix of ``path`` says.

    Parameters
    ----------
    path : Path
        Where it will go.
    model : Model
        What was fitted.
    X : ndarray, shape (n_samples, n_features)
        The rows in the units of the data.
    title : str
        What stands above it.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from truemeans.plots import clusters

    suffix = path.suffix.lower()
    file = io.BytesIO()
    # The salt names the parts of an SVG: a fixed one, so that the same run gives the same bytes.
    with mpl.rc_context({"svg.hashsalt": "truemeans"}), warnings.catch_warnings():
        # A script that the font does not have is drawn as boxes, which is warning enough.
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(7.2, 5.4), layout="constrained")
        ax = clusters(model, X, ax=figure.add_subplot())
        ax.set_title(title, loc="left", fontsize="medium", parse_math=False)
        figure.savefig(file, format=suffix[1:], dpi=160, metadata=_METADATA[suffix])
    return file.getvalue()
