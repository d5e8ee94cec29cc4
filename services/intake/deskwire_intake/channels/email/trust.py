"""Whom the desk believes about a mail: the relays it was told to trust, and nobody else. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deskwire_intake.mail.parsed import AuthenticationResults, MethodResult, ParsedMail
from deskwire_shared.contracts.mails import Authentication, SenderVerdict

UNNAMED: Final = "unnamed"
"""Stands for a server that leaves its name out of what it writes, as Exchange does."""


@dataclass(frozen=True, slots=True)
class TrustedRelays:
    """The mail servers in front of the desk, by the names they write; one that begins with a dot means all below it."""

    names: frozenset[str] = frozenset()
    heeds_spam: bool = True

    def vouch(self, mail: ParsedMail) -> Authentication | None:
        """What trusted relays found out about the author of a mail; None when none of them says anything.

        Of several results of a method the worst counts, and what is good of it only in the topmost field that tells
        of the method: what a sender slips in stands below, and can only do harm to themselves.
        """
        believed = [field for field in mail.way.authentication if self.trusts(field.relay or UNNAMED)]
        if not believed:
            return None
        domain = _domain(mail.from_.address) if mail.from_ else ""
        results = tuple(result for field in believed for result in field.results)
        is_signed = any(_signed_by(_topmost(believed, "dkim"), domain))
        return Authentication(
            relay=believed[0].relay or UNNAMED,
            sender=_verdict(believed, domain),
            domain=domain,
            spf=_worst(results, "spf"),
            dkim="pass" if is_signed else _worst(results, "dkim"),
            dmarc=_worst(results, "dmarc"),
        )

    def calls_spam(self, mail: ParsedMail) -> bool:
        """Whether a trusted relay took a mail for spam; only one that it passed can have done so."""
        return self.heeds_spam and bool(mail.way.spam_signs) and any(map(self.trusts, _servers(mail)))

    def trusts(self, name: str) -> bool:
        """Whether a name is one of theirs."""
        parts = name.lower().split(".")
        above = (f".{'.'.join(parts[start:])}" for start in range(1, len(parts)))
        return name.lower() in self.names or any(one in self.names for one in above)


def _servers(mail: ParsedMail) -> Iterator[str]:
    yield from mail.way.hops
    yield from (field.relay or UNNAMED for field in mail.way.authentication)


def _verdict(believed: Sequence[AuthenticationResults], domain: str) -> SenderVerdict:
    if any(result.method == "dmarc" and result.result == "fail" for field in believed for result in field.results):
        return "failed"
    dmarc = _topmost(believed, "dmarc")
    passed = any(result.result == "pass" and _is_about(result, domain) for result in dmarc)
    is_signed = any(_signed_by(_topmost(believed, "dkim"), domain))
    return "verified" if domain and (passed or is_signed) else "unverified"


def _topmost(believed: Sequence[AuthenticationResults], method: str) -> tuple[MethodResult, ...]:
    """The results of a method in the first field that has any, which the last server on the way wrote."""
    found = (tuple(result for result in field.results if result.method == method) for field in believed)
    return next(filter(None, found), ())


def _is_about(result: MethodResult, domain: str) -> bool:
    told = result.property("header.from")
    return not told or _domain(told) == domain


def _signed_by(results: tuple[MethodResult, ...], domain: str) -> Iterator[MethodResult]:
    """The DKIM signatures that hold and are of the author's domain, or of one above it."""
    for result in results:
        signer = _domain(result.property("header.d", "header.i"))
        is_theirs = domain == signer or ("." in signer and domain.endswith(f".{signer}"))
        if result.result == "pass" and signer and is_theirs:
            yield result


def _worst(results: tuple[MethodResult, ...], method: str) -> str:
    found = [result.result for result in results if result.method == method]
    return next((result for result in found if result != "pass"), found[0] if found else "")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()


NOBODY: Final = TrustedRelays()
"""Without a word of the installation no relay is trusted."""
