"""The names of an estimator's parameters, looked up once a class."""

from __future__ import annotations

from functools import cache
from typing import Any

from sklearn.base import BaseEstimator

__all__ = ["NamedOnce"]


class NamedOnce(BaseEstimator):
    """An estimator that reads the signature of its class once.

    scikit-learn reads it before every fit, which takes as long as fitting thirty rows.
    """

    @classmethod
    @cache
    def _get_param_names(cls) -> Any:
        return super()._get_param_names()
