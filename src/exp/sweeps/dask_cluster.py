"""`sweep.backend=dask`: a cluster of Dask for the workers of a sweep."""

from __future__ import annotations

from contextlib import AbstractContextManager

import dask
import distributed


def connected(workers: int) -> AbstractContextManager[object]:
    """Within it joblib knows the cluster of DASK_SCHEDULER_ADDRESS, or one of this machine."""
    address = dask.config.get("scheduler-address", None)
    local = {} if address else {"n_workers": workers, "threads_per_worker": 1}
    client: AbstractContextManager[object] = distributed.Client(
        address, dashboard_address=None, **local
    )
    return client
