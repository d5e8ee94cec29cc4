"""Tables on the terminal; lines with tabs where a program reads them."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deskwire_shared.runtime.telling import harmless


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns' names."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for row in rows:
            console.file.write("\t".join(map(harmless, row)) + "\n")
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(Text(harmless(cell)) for cell in row))
    console.print(table)
