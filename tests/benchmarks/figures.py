"""What a benchmark says: figures with their unit, their bar and the reference they stand beside."""

import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `bar` is what it has to reach, None for a reference."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    better: Literal["more", "less"] = "more"
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the bar is reached; a reference always is."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.better == "more" else self.value <= self.bar


def chosen(name: str, usual: int) -> int:
    """How much is measured, as the environment says: `make bench ONLY=exactly_once MAILS=5000`."""
    return int(os.environ.get(name, usual))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table of figures."""
    rows = ["| what | measured | bar | note |", "|---|---|---|---|"]
    for figure in figures:
        sign = ">=" if figure.better == "more" else "<="
        bar = (
            "reference"
            if figure.bar is None
            else f"{sign} {figure.bar:,g} {'' if figure.reached else '**missed**'}".strip()
        )
        rows.append(f"| {figure.name} | {_number(figure.value)} {figure.unit} | {bar} | {figure.note} |")
    return "\n".join(rows)


def machine() -> str:
    """The machine the figures were taken on."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    cpu = models[0] if models else platform.machine()
    return (
        f"{os.cpu_count()} cores ({cpu}), {int(memory) / 1024**2:.0f} GiB, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, {time.strftime('%Y-%m-%d', time.gmtime())}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []
