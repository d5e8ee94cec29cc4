"""What was written, byte for byte? Every commit of the log a second time, sealed as it is stored there."""

from typing import Any

from deskwire_query.projections.log import Logged


def project(logged: Logged) -> dict[str, Any]:
    """Give the row of a commit; one that cannot be read keeps its bytes."""
    commit = logged.commit
    return {
        "sequence": logged.sequence,
        "commit_id": logged.commit_id,
        "ticket_id": logged.ticket_id,
        "version": commit.version if commit else 0,
        "at": commit.at if commit else None,
        "facts": " ".join(fact.type for fact in commit.facts) if commit else "",
        "chain": commit.chain if commit else "",
        "stored": logged.stored,
    }
