"""How evenly tickets are spread over agents."""

from collections.abc import Collection
from statistics import pstdev

from pydantic import BaseModel, ConfigDict


class Spread(BaseModel):
    """The fewest and the most of anybody, the standard deviation, and the Gini coefficient from 0, even, to 1."""

    model_config = ConfigDict(frozen=True)

    fewest: int = 0
    most: int = 0
    deviation: float = 0.0
    gini: float = 0.0


def spread(counts: Collection[int]) -> Spread:
    """Measure how evenly counts are spread."""
    if not counts:
        return Spread()
    return Spread(fewest=min(counts), most=max(counts), deviation=round(pstdev(counts), 3), gini=round(gini(counts), 4))


def gini(counts: Collection[int]) -> float:
    """Half the mean difference between any two counts, relative to their mean."""
    total, number = sum(counts), len(counts)
    if not total:
        return 0.0
    weighted = sum(place * count for place, count in enumerate(sorted(counts), 1))
    return 2 * weighted / (number * total) - (number + 1) / number
