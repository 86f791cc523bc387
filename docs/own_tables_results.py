"""Puts the numbers of own_tables.json into own_tables.md, between its marks.

python benchmarks/tables_compare.py RESULTS docs && python docs/own_tables_results.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

DOCS = Path(__file__).parent
MARKS = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end of \2 -->)", re.S)
NAMES = {
    "exp_fit": "exp fit",
    "catboost": "CatBoost",
    "lightgbm": "LightGBM",
    "hist_gradient_boosting": "HistGradientBoosting",
    "mlp": "MLP",
}


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; all columns but the first are aligned at the right."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def digits(value: float) -> str:
    """A score with four digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def tables(content: dict[str, Any]) -> str:
    rows = []
    for each in content["tables"]:
        more = f"; left out: {each['left out']}" if each["left out"] else ""
        rows.append(
            [
                each["table"], each["from"], f"{each['target']} ({each['task']})",
                f"{each['rows']:,}", str(each["columns"]), str(each["text"]),
                f"{100 * each['gaps']:.1f} %" if each["gaps"] else "0", each["why"] + more,
            ]
        )  # fmt: skip
    header = ["table", "from", "target", "rows", "columns", "not numbers", "missing", "why"]
    return table(header, rows)


def ranks(content: dict[str, Any]) -> str:
    found = content["comparisons"]["loss"]
    nemenyi = content["comparisons"]["loss_nemenyi"]
    to = {tuple(sorted(each["methods"])): each["p"] for each in found["pairs"]}
    other = {tuple(sorted(each["methods"])): each["p"] for each in nemenyi["pairs"]}
    rows = []
    for method in found["methods"]:
        name = method["name"]
        ratios = [each["scores"][name] for each in found["data_sets"]]
        pair = tuple(sorted((name, "exp_fit")))
        ours = [each["scores"]["exp_fit"] for each in found["data_sets"]]
        better = sum(a < b for a, b in zip(ours, ratios, strict=True))
        worse = sum(a > b for a, b in zip(ours, ratios, strict=True))
        rows.append(
            [
                NAMES[name], f"{method['mean_rank']:.2f}", str(method["first"]),
                f"{float(np.median(ratios)):.3f}",
                *(
                    [f"{better} of {len(ratios)}, worse on {worse}",
                     p_value(to[pair]), p_value(other[pair])]
                    if name != "exp_fit" else ["", "", ""]
                ),
            ]
        )  # fmt: skip
    f = found["friedman"]
    header = ["method", "mean rank", "best on", "median ratio to the best loss",
              "exp fit is better on", "p (Wilcoxon, Holm)", "p (Nemenyi)"]  # fmt: skip
    last = (
        f"\nFriedman's test: chi-squared {f['chi2']:.2f}, p {p_value(f['p'])}; Iman and "
        f"Davenport's F {f['f']:.2f}, p {p_value(f['p_f'])}. Nemenyi's critical difference of "
        f"mean ranks at 5 %: {nemenyi['critical_difference']:.2f}.\n"
    )
    return table(header, rows) + last


def by_table(content: dict[str, Any], score: str, methods: list[str]) -> list[list[str]]:
    """A row for each table that has a score; the best is in bold."""
    rows = []
    for each in content["tables"]:
        found = {
            method: [r[score] for r in content["results"]
                     if r["table"] == each["table"] and r["method"] == method and score in r]
            for method in methods
        }  # fmt: skip
        if not all(found.values()):
            continue
        values = {method: float(np.mean(some)) for method, some in found.items()}
        best = (min if score in ("loss", "mae") else max)(values.values())
        cells = [f"**{digits(v)}**" if v == best else digits(v) for v in values.values()]
        rows.append([each["table"], *cells])
    return rows


def scores(content: dict[str, Any]) -> str:
    methods = [each["name"] for each in content["comparisons"]["loss"]["methods"]]
    header = ["table", *(NAMES[method] for method in methods)]
    parts = []
    for score, title in (
        ("loss", "Log loss of classes, root mean squared error of numbers: lower is better."),
        ("accuracy", "Accuracy of classes: higher is better."),
        ("auroc", "AUROC of classes (mean over classes, each against the rest): higher is better."),
        ("r2", "R² of numbers: higher is better."),
    ):  # fmt: skip
        parts.append(f"{title}\n\n{table(header, by_table(content, score, methods))}")
    return "\n".join(parts)


def seconds(content: dict[str, Any]) -> str:
    methods = [each["name"] for each in content["comparisons"]["loss"]["methods"]]
    rows = []
    for method in methods:
        some = [each for each in content["results"] if each["method"] == method]
        cpu = [each["cpu_seconds"] for each in some]
        tried = [each["configurations"] for each in some if "configurations" in each]
        rows.append(
            [
                NAMES[method], f"{np.median(cpu):.0f}", f"{max(cpu):.0f}",
                f"{min(tried)} to {max(tried)}" if tried else "up to 256 networks",
            ]
        )  # fmt: skip
    return table(["method", "median CPU seconds", "most", "configurations"], rows)


def noise(content: dict[str, Any]) -> str:
    found = content["noise"]
    rows = []
    for score in ("accuracy", "auroc"):
        values = np.array([each[score] for each in found]) - 0.5
        error = values.std(ddof=1) / np.sqrt(len(values))
        rows.append([score, str(len(values)), f"{values.mean():+.4f}", f"{error:.4f}"])
    return table(["score of the test rows", "tables", "mean less 0.5", "standard error"], rows)


SECTIONS = {
    "tables": tables, "ranks": ranks, "scores": scores, "seconds": seconds, "noise": noise,
}  # fmt: skip


def page(text: str, content: dict[str, Any]) -> str:
    """A page with its sections made anew."""

    def section(found: re.Match[str]) -> str:
        return f"{found[1]}\n{SECTIONS[found[2]](content)}\n{found[3]}"

    return MARKS.sub(section, text)


def main() -> None:
    content = json.loads((DOCS / "own_tables.json").read_text())
    path = DOCS / "own_tables.md"
    path.write_text(page(path.read_text(), content))


if __name__ == "__main__":
    main()
