"""How hypothesis runs: the same examples on every machine, unless new ones are asked for.

``pytest tests/test_laws.py --hypothesis-profile=explore`` looks for examples nobody has tried.
"""

import os

from hypothesis import HealthCheck, settings

COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("laws", max_examples=500, derandomize=True, **COMMON)
settings.register_profile("explore", max_examples=5000, **COMMON)
settings.load_profile("laws")

# Read when SciPy is imported; without it scikit-learn skips its checks for the array API.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
