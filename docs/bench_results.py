"""Puts the results of a whole bench into the documentation.

    exp bench --out bench && python docs/bench_results.py bench

Writes docs/bench.html, the images of docs/bench.md, and the section between its two marks.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).parent
MARKS = re.compile(r"(<!-- results -->\n).*?(<!-- end of results -->)", re.S)
SECTION = """
## Results

[The whole page](bench.html) has the accuracies on each data set, times, learning rates, what was
run, and what all this can tell and what not. {title}:

{table}
"Not worse on": data sets on which an optimizer is not shown to be worse than the best. Points lost:
how much lower the accuracy is than that of the best optimizer on the same data set, as
interquartile mean over runs. Time score: AlgoPerf's, of the gradients until a target is reached.

![Mean ranks](images/bench-ranks.png)

![Time to target](images/bench-profiles.png)

![Runs at the target](images/bench-times.png)

"""
ROW = re.compile(r"<tr>(.*?)</tr>")
CELL = re.compile(r"<t[hd][^>]*>(?:<span>)?(.*?)(?:</span>)?</t[hd]>")


def main(folder: str) -> None:
    bench = Path(folder)
    page = (bench / "index.html").read_text()
    (DOCS / "bench.html").write_text(page)
    for name in ("ranks", "profiles", "times"):
        shutil.copyfile(bench / f"{name}.png", DOCS / "images" / f"bench-{name}.png")
    standings = page.partition('<h2 id="standings">')[2].partition("</table>")[0]
    header, *rows = [CELL.findall(row) for row in ROW.findall(standings)]
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    title = page.partition("<h1>")[2].partition("</h1>")[0]
    section = SECTION.format(title=title, table=table)
    text, count = MARKS.subn(lambda found: f"{found[1]}{section}{found[2]}", markdown())
    assert count == 1
    (DOCS / "bench.md").write_text(text)


def markdown() -> str:
    return (DOCS / "bench.md").read_text()


if __name__ == "__main__":
    main(*sys.argv[1:])
