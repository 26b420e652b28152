"""``truemeans info``: show what a model file holds."""

from __future__ import annotations

import shlex
from typing import Any

from truemeans.cli.show import Summary, count, listed, print_json
from truemeans.model import Model

__all__ = ["info"]


def info(model_file: str, *, as_json: bool) -> None:
    """Run the command.

    Parameters
    ----------
    model_file : str
        Where the model is.
    as_json : bool
        Whether to print one JSON object.
    """
    from truemeans.model_file import read

    model = read(model_file)
    if as_json:
        print_json(_as_json(model_file, model))
    else:
        _summarize(model_file, model)


def _as_json(model_file: str, model: Model) -> dict[str, Any]:
    return {
        "command": "info",
        "model": model_file,
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
        "sizes": None if model.sizes is None else model.sizes.tolist(),
        "offset": None if model.offset is None else model.offset.tolist(),
        "scale": None if model.scale is None else model.scale.tolist(),
        "centroids": model.centroids_in_units().tolist(),
        "clustered_centroids": model.centroids.tolist(),
    }


def _summarize(model_file: str, model: Model) -> None:
    show = Summary()
    names = model.feature_names or tuple(f"x{i + 1}" for i in range(model.n_features))
    n_clusters = count(model.n_clusters, "cluster")
    n_features = count(model.n_features, "feature")
    show.line("Model", f"{model_file}: {n_clusters}, {n_features}, {model.centroids.dtype}")
    by = f"by truemeans {model.library_version}, format version {model.format_version}"
    show.line("Written", by)
    unnamed = "" if model.feature_names else " (the model has no names)"
    show.line("Features", listed(names) + unnamed)
    show.line("Params", listed([f"{name}={value}" for name, value in model.params.items()]))
    ended = {True: "converged", False: "stopped without converging", None: "ended"}
    show.line("Run", f"{ended[model.converged]} after {count(model.n_iter, 'iteration')}")
    of_what = "" if model.scale is None else ", of the standardised features"
    show.line("Inertia", f"{model.inertia:.10g}{of_what}")
    if model.offset is not None and model.scale is not None:
        show.line("Features", "are standardised as (x - offset) / scale")
        show.values(names, {"Offset": model.offset, "Scale": model.scale})
    show.clusters(model.n_clusters, model.sizes, model.centroids_in_units(), names)
    show.exact("All values", f"truemeans info {shlex.quote(model_file)} --json")
