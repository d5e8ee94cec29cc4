"""The forms of programs beside the desk: webhooks that are called about tickets, and API tokens."""

from typing import Final, get_args

from deskwire_query.web.admin.forms.channels import SECRET, secret_line
from deskwire_query.web.admin.forms.condition_fields import words
from deskwire_query.web.admin.forms.derived import fields_of
from deskwire_query.web.admin.forms.fields import Choices, Line, Switch
from deskwire_query.web.admin.forms.form import Form, Part
from deskwire_query.web.admin.forms.groups import Dictionary
from deskwire_query.web.admin.forms.trees import Tree, branch, word
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.directory import ApiToken
from deskwire_shared.contracts.webhooks import Webhook

KNOWN: Final = {
    "name": Line(name="name", label="Name", required=True),
    "url": Line(name="url", label="Address", type="url", required=True, example="https://example.org/hook"),
    "headers": Dictionary(
        name="headers",
        label="Headers",
        noun="header",
        most=20,
        key=Line(name="", label="Name", example="X-Key"),
        value=Line(name="", label="Value"),
        hint="Sent along. {secret.name} puts one of the webhook's secrets in.",
    ),
    "active": Switch(name="active", label="Active"),
}

NOT_ASKED: Final = frozenset({"kind", "events", "disabled_because"})


def _header_secrets(tree: Tree) -> tuple[Line, ...]:
    values = (word(branch(header).get("value")) for header in branch(tree.get("headers")).values())
    names = dict.fromkeys(name for value in values for name in SECRET.findall(value))
    return tuple(secret_line(name, words(name)) for name in names)


HOOK_FORM: Final = Form(
    model=Webhook,
    secrets=_header_secrets,
    parts=(Part(title="", fields=fields_of(Webhook, KNOWN, leave_out=NOT_ASKED)),),
)

SCOPES: Final[dict[Permission, str]] = {
    "tickets:read": "Read tickets",
    "tickets:write": "Change tickets",
    "tickets:reply": "Answer customers",
    "tickets:note": "Leave notes",
    "tickets:assign": "Assign tickets",
    "tickets:merge": "Merge tickets",
    "customers:read": "Read customers",
    "customers:write": "Change customers",
    "directory:read": "Read settings",
    "directory:write": "Change settings",
    "reports:read": "Read reports",
    "feed:public": "Hear what customers may know",
    "feed:internal": "Hear everything, notes too",
    "admin": "Administer people, tokens and secrets",
}
assert set(SCOPES) == set(get_args(Permission))

TOKEN_FORM: Final = Form(
    model=ApiToken,
    always={"secret_sha256": ""},
    parts=(
        Part(title="", fields=(
            Line(name="name", label="Name", required=True, hint="What will use it; tickets show it."),
            Choices(name="scopes", label="May", options=tuple(SCOPES.items())),
            Line(name="expires_at", label="Valid until", optional=True, example="2026-12-31T00:00Z",
                 hint="Empty is until it is deleted."),
            Switch(name="active", label="Active"),
        )),
    ),
)  # fmt: skip
