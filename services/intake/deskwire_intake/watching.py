"""Shows how each channel fares: in its figures, and in the answer to whoever asks whether the process is ready."""

from collections.abc import Callable

from deskwire_intake.figures import Figures
from deskwire_shared.runtime.service import Runtime


def watch(runtime: Runtime, figures: Figures, channel: str, under_way: Callable[[], int], most: int) -> None:
    """Show how many messages of a channel are under way, and how many it bears at once."""
    figures.under_way.labels(channel).set_function(under_way)
    figures.most_under_way.labels(channel).set(most)
    runtime.health.tell(channel, lambda: {"under_way": str(under_way()), "most": str(most)})
