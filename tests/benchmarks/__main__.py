"""Runs the benchmarks, or those named, and prints a table: `python -m benchmarks [name …]`."""

import asyncio
import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.figures import machine, table

NOT_BENCHMARKS = {"__main__", "appends", "figures"}


def names() -> list[str]:
    """Every benchmark in this package."""
    return [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in NOT_BENCHMARKS]


def main(wanted: list[str]) -> int:
    """Run and print; 1 when a bar was missed."""
    unknown = set(wanted) - set(names())
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}\n")
        return 2
    figures = []
    for name in wanted or names():
        sys.stderr.write(f"measuring {name} ...\n")
        measured = asyncio.run(importlib.import_module(f"benchmarks.{name}").measure())
        sys.stdout.write(table(measured) + "\n\n")
        figures += measured
    sys.stdout.write(f"Machine: {machine()}\n")
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
