"""`exp check MODULE [--name NAME]`: tries what a kind of component promises on one's own."""

from __future__ import annotations

from exp.util.verb_parser import Parser


def main(words: list[str]) -> int:
    """Prints a line for each check, and how many failed; 1 if any did.

    Raises:
        ExpError: there is no such module or component, or it cannot be imported.
    """
    parser = Parser(
        prog="exp check",
        description="Try what each kind of component promises on those that a module registers. "
        "The module is imported: its code is run.",
    )
    parser.add_argument("module", help="a module of components, or with a / a folder of them")
    parser.add_argument("--name", help="only the components of this name")
    args = parser.parse_args(words)

    from exp.cli.check.suite import findings

    count = failed = 0
    for finding in findings(args.module, args.name):
        count += 1
        failed += finding.found is not None
        print(finding.line, flush=True)
    print(f"{count} checks, {failed} failed")
    return 1 if failed else 0
