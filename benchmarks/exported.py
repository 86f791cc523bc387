"""Exported ONNX files against `exp predict` on the tables of tables.py, in a process without exp.

    python benchmarks/exported.py FOLDER [TABLE ...]

trains a small network on each table, with another feature map each time, exports it, and runs the
code that `exp export` prints in a process that cannot import exp. The new rows are the test rows of
the table; in a tenth of their values, numbers are missing and categories are missing or unknown. It
prints the largest difference of a probability, or of a prediction relative to the largest one, and
how many labels differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from tables import CLASSES, NAMED, TABLES, Table

import exp
from exp.cli.main import dispatch

MAPS = ("none", "quantile", "piecewise", "fourier")
ROWS = 2_000
OUTSIDE = """
import json, sys
sys.modules["exp"] = None
import numpy as np, pandas as pd
code, kinds = sys.argv[1], json.loads(sys.argv[2])
X = pd.read_csv("new.csv", dtype=str, keep_default_na=False)[list(kinds)]
for name, kind in kinds.items():
    if kind == "date":
        X[name] = (pd.to_datetime(X[name]) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    elif kind == "number":
        X[name] = pd.to_numeric(X[name].replace("", np.nan))
if "X is a DataFrame" not in code:
    X = X.to_numpy(float)
exec(code)
label = globals().get("label_", globals().get("label"))
answers = probabilities if "probabilities" in globals() else predictions
np.savez("found.npz", answers=answers, label=[] if label is None else label.astype(str))
"""


def disturbed(frame: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """The rows with missing values, and with categories that nobody has seen."""
    random, out = np.random.default_rng(0), frame.astype(object)
    for name, kind in kinds.items():
        out.loc[random.random(len(out)) < 0.05, name] = None
        if kind == "category":
            out.loc[random.random(len(out)) < 0.05, name] = "(unknown)"
    return out


def printed(*words: str) -> str:
    text = StringIO()
    with redirect_stdout(text):
        code = dispatch(list(words))
    assert code == 0, words
    return text.getvalue()


def measure(table: Table, folder: Path, mapping: str) -> dict[str, object]:
    folder.mkdir(parents=True, exist_ok=True)
    train, test = table.split(seed=0)
    train.sample(min(ROWS, len(train)), random_state=0).to_csv(folder / "train.csv", index=False)
    texts = [n for n in train if n != table.target and not pd.api.types.is_numeric_dtype(train[n])]
    dates = [n for n in texts if pd.api.types.is_datetime64_any_dtype(train[n])]
    named = ",".join(f'"{name}"' for name in texts if name not in dates)
    listed = ",".join(f'"{name}"' for name in dates)
    run = exp.run(
        [
            "dataset=csv", f"dataset.path={folder / 'train.csv'}",
            f"dataset.target={table.target}", f"dataset.task={table.task}",
            f"dataset.categorical={f'[{named}]' if named else 'null'}",
            f"dataset.dates={f'[{listed}]' if dates else 'false'}",
            "dataset.missing=impute", "dataset.max_categories=20", "split.standardize=true",
            f"split.standardize_target={str(table.task != CLASSES).lower()}",
            f"features={mapping}", "optimizer=adam", "trainer.epochs=20", "figures=none",
            "run.reuse=false", f"hydra.run.dir={folder / 'run'}",
        ]
    )  # fmt: skip
    columns = run.trained().preparation.columns
    kinds = {column.name: column.kind for column in columns}
    disturbed(test.head(ROWS), kinds).to_csv(folder / "new.csv", index=False)
    file, new = str(folder / "model.onnx"), str(folder / "new.csv")
    code = printed("export", str(run.path), "--to", "onnx", "--output", file)
    printed("predict", str(run.path), new, "--output", str(folder / "out.csv"))
    subprocess.run([sys.executable, "-c", OUTSIDE, code, json.dumps(kinds)], cwd=folder, check=True)
    wanted = pd.read_csv(folder / "out.csv", dtype={"predicted": str}, keep_default_na=False)
    found = np.load(folder / "found.npz")
    if table.task == CLASSES:
        chances = wanted.filter(like="probability:").to_numpy(float)
        apart = float(np.abs(found["answers"] - chances).max())
        labels = int((found["label"] != wanted["predicted"].to_numpy(str)).sum())
    else:
        numbers = wanted["predicted"].to_numpy(float)
        scale = max(1.0, np.abs(numbers).max())
        apart = float(np.abs(found["answers"][:, 0] - numbers).max() / scale)
        labels = 0
    held = [kinds[name] for name in kinds]
    return {
        "table": table.name, "task": table.task, "features": mapping, "rows": len(wanted),
        "numbers": held.count("number"), "categories": held.count("category"),
        "dates": held.count("date"), "apart": apart, "labels": labels,
    }  # fmt: skip


def main(folder: Path, names: list[str]) -> None:
    rows = []
    for at, table in enumerate(TABLES):
        if names and table.name not in names:
            continue
        begun = time.perf_counter()
        row = measure(table, folder.absolute() / table.name, MAPS[at % len(MAPS)])
        rows.append(row | {"seconds": round(time.perf_counter() - begun, 1)})
        print(row, flush=True)
    print(pd.DataFrame(rows).to_string(index=False))
    print(f"largest difference: {max(row['apart'] for row in rows):.2g}")
    assert all(name in NAMED for name in names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
