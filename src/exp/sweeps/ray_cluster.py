"""`sweep.backend=ray`: a cluster of Ray for the workers of a sweep."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray.util.joblib import register_ray


@contextmanager
def connected(workers: int) -> Iterator[None]:
    """Within it joblib knows the cluster of RAY_ADDRESS, or one of this machine."""
    started_here = not ray.is_initialized()
    if started_here:
        local = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
        quiet = {"include_dashboard": False, "log_to_driver": False}
        ray.init(logging_level=logging.ERROR, **quiet, **local)
    register_ray()
    try:
        yield
    finally:
        if started_here:
            ray.shutdown()
