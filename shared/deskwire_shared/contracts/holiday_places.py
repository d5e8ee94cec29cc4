"""The countries and regions of which public holidays are known, and the names of their holidays."""

import re
import warnings
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final

_WORD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@cache
def countries() -> Mapping[str, str]:
    """The names of the countries, by their ISO 3166 codes."""
    from holidays.registry import COUNTRIES  # noqa: PLC0415 - takes longer to import than the rest of a service

    names = {classes[1]: _WORD.sub(" ", classes[0]) for classes in COUNTRIES.values()}
    return dict(sorted(names.items(), key=lambda each: each[1]))


def regions(country: str) -> Mapping[str, str]:
    """The names of the regions of a country whose holidays differ, by their codes."""
    import holidays  # noqa: PLC0415 - takes longer to import than the rest of a service

    names = {code: name for name, code in getattr(holidays, country).subdivisions_aliases.items()}
    known = holidays.list_supported_countries().get(country, ())
    return dict(sorted(((code, names.get(code, code)) for code in known), key=lambda each: each[1]))


def named_holidays(country: str, region: str | None, *, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their names, as the country calls them; none for a place that is not known."""
    import holidays  # noqa: PLC0415 - takes longer to import than the rest of a service

    if country not in countries() or (region is not None and region not in regions(country)):
        return {}
    with warnings.catch_warnings():
        # Countries with a lunar calendar warn about years whose days are not announced yet.
        warnings.simplefilter("ignore", UserWarning)
        return dict(holidays.country_holidays(country, subdiv=region, years=year).items())
