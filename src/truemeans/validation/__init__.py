"""The only place that raises on user input.

Every check returns its argument in the one form the layers below take, or raises one
sentence that names the parameter or the row and column, the value, the rule and the fix.
Nothing here changes what the caller passed in.
"""

from truemeans.validation.centroids import check_centroids, check_init, warn_few_distinct
from truemeans.validation.footprint import check_distances_fit, check_run_fits
from truemeans.validation.parameters import (
    InvalidParameterError,
    check_callback,
    check_flag,
    check_integer,
    check_n_clusters,
    check_n_init,
    check_n_local_trials,
    check_random_state,
    check_record,
    check_refine,
    check_refine_memory,
    check_tol,
    check_verbose,
    warn_interrupted,
)
from truemeans.validation.rows import (
    check_finite,
    check_n_features,
    check_rows,
    check_squared_norms,
    npy_path,
)
from truemeans.validation.walkthrough import (
    check_means,
    check_page_size,
    check_recorded,
    check_walkthrough,
    column_names,
)
from truemeans.validation.warn import warn
from truemeans.validation.weights import check_sample_weight

__all__ = [
    "InvalidParameterError",
    "check_callback",
    "check_centroids",
    "check_distances_fit",
    "check_finite",
    "check_flag",
    "check_init",
    "check_integer",
    "check_means",
    "check_n_clusters",
    "check_n_features",
    "check_n_init",
    "check_n_local_trials",
    "check_page_size",
    "check_random_state",
    "check_record",
    "check_recorded",
    "check_refine",
    "check_refine_memory",
    "check_rows",
    "check_run_fits",
    "check_sample_weight",
    "check_squared_norms",
    "check_tol",
    "check_verbose",
    "check_walkthrough",
    "column_names",
    "npy_path",
    "warn",
    "warn_few_distinct",
    "warn_interrupted",
]
