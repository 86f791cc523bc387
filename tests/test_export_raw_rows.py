"""Exported models take raw rows: categories and missing values as a file has them, and a process
without exp gets the answers of `exp predict`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from commands import inside, read_csv

TRAIN = ("optimizer=adam", "trainer.epochs=5", "figures=none", "hydra.run.dir=run")
READ = "dataset.missing=impute"

OUTSIDE = """
import json, sys
sys.modules["exp"] = None  # importing it fails
import numpy as np, pandas as pd
X = pd.read_csv("new.csv", dtype=json.loads(sys.argv[2]), keep_default_na=False)
for name, kind in json.loads(sys.argv[3]).items():
    if kind == "date":
        X[name] = (pd.to_datetime(X[name]) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    elif kind == "number":
        X[name] = pd.to_numeric(X[name].replace(["", "?", "NA"], np.nan))
X = X if "X is a DataFrame" in sys.argv[1] else X[json.loads(sys.argv[4])].to_numpy()
exec(sys.argv[1])
found = probabilities if "probabilities" in globals() else predictions
np.savez("found.npz", answers=found, label=label.astype(str) if "label" in globals() else [])
"""
