"""The sections of the administration: one for each kind of document that people configure."""

from dataclasses import dataclass
from typing import Final

from deskwire_query.web.admin.forms.automation import MACRO_FORM, RULE_FORM, TEMPLATE_FORM, VIEW_FORM
from deskwire_query.web.admin.forms.calendars import CALENDAR_FORM
from deskwire_query.web.admin.forms.channels import CHANNEL_FORMS, EMAIL_FORM
from deskwire_query.web.admin.forms.form import Form
from deskwire_query.web.admin.forms.integrations import HOOK_FORM, TOKEN_FORM
from deskwire_query.web.admin.forms.policies import POLICY_FORM
from deskwire_query.web.admin.forms.staff import AGENT_FORM, CUSTOMER_FORM, ORGANISATION_FORM, TEAM_FORM
from deskwire_shared.contracts.access import Permission
from deskwire_shared.contracts.channels import Channel, Medium
from deskwire_shared.contracts.document import Document

NEW: Final = "new"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of document, with the words around it."""

    key: str
    name: str
    icon: str
    form: Form
    noun: str
    lead: str
    empty: str
    teaches: str
    """What an empty section says about what could be there."""
    ordered: bool = False
    permission: Permission = "directory:write"
    grows_by_itself: bool = False
    """Whether nobody adds these by hand."""

    @property
    def model(self) -> type[Document]:
        """The kind of document."""
        return self.form.model

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return str(self.model.model_fields["kind"].default)

    @property
    def switched(self) -> bool:
        """Whether its documents can be switched off without more ado."""
        return "active" in self.model.model_fields and self.permission != "admin"

    @property
    def article(self) -> str:
        """`a` or `an`."""
        return "an" if self.noun[0] in "aeiouAEIO" or self.noun.startswith("SLA") else "a"


GROUPS: Final[dict[str, tuple[Section, ...]]] = {
    "People": (
        Section(
            key="agents", name="People", icon="user", form=AGENT_FORM, noun="person", permission="admin",
            lead="Who works on this desk, in which teams, and what they may do.",
            empty="Nobody works here yet.", teaches="Add the people who answer customers.",
        ),
        Section(
            key="teams", name="Teams", icon="users", form=TEAM_FORM, noun="team",
            lead="Queues, and how new tickets find somebody in them.",
            empty="No team yet.", teaches="Tickets wait under Unassigned until there is a team to give them to.",
        ),
        Section(
            key="customers", name="Customers", icon="user-plus", form=CUSTOMER_FORM, noun="customer",
            permission="customers:write", grows_by_itself=True,
            lead="Everybody who has written to the desk.",
            empty="Nobody is found.", teaches="Customers come here by themselves with their first message.",
        ),
        Section(
            key="organisations", name="Organisations", icon="layers", form=ORGANISATION_FORM, noun="organisation",
            lead="Companies and groups of customers, told apart by the domains of their addresses.",
            empty="No organisation yet.",
            teaches="Name a company and its domains: its customers join by themselves, and rules can ask for it.",
        ),
    ),
    "Ways in": (
        Section(
            key="channels", name="Channels", icon="at-sign", form=EMAIL_FORM, noun="channel",
            lead="The ways in and out: mailboxes, forms, chats, messengers.",
            empty="No channel yet.", teaches="Connect a mailbox, or put a form or a chat on your web site.",
        ),
    ),
    "Promises": (
        Section(
            key="policies", name="SLA policies", icon="timer", form=POLICY_FORM, noun="SLA policy", ordered=True,
            lead="What is promised to which tickets. The first policy whose conditions hold wins.",
            empty="Nothing is promised yet.",
            teaches="A policy says how soon customers hear from you, and what is done when that gets close.",
        ),
        Section(
            key="calendars", name="Calendars", icon="clock", form=CALENDAR_FORM, noun="calendar",
            lead="When promises count: opening hours and holidays.",
            empty="No calendar yet.", teaches="Promises count day and night until a policy names a calendar.",
        ),
    ),
    "Automation": (
        Section(
            key="rules", name="Rules", icon="wand-sparkles", form=RULE_FORM, noun="rule", ordered=True,
            lead="What happens by itself when a ticket comes in or changes. They are asked from top to bottom.",
            empty="No rule yet.",
            teaches="When a ticket is opened, if its subject has the word refund, then give it to Billing: a rule.",
        ),
        Section(
            key="macros", name="Macros", icon="keyboard", form=MACRO_FORM, noun="macro",
            lead="A reply and several changes that agents make with one key.",
            empty="No macro yet.", teaches="Write down what agents do every day, such as asking for an invoice number.",
        ),
        Section(
            key="templates", name="Templates", icon="file-text", form=TEMPLATE_FORM, noun="template",
            lead="The mails that the desk writes by itself.",
            empty="No template yet.", teaches="The built-in words are used until you write your own.",
        ),
        Section(
            key="views", name="Views", icon="list-filter", form=VIEW_FORM, noun="view", ordered=True,
            lead="Selections of tickets that stand beside the list.",
            empty="No view yet.", teaches="A view gathers tickets by conditions: urgent ones, or those of a customer.",
        ),
    ),
    "Integrations": (
        Section(
            key="webhooks", name="Webhooks", icon="link", form=HOOK_FORM, noun="webhook",
            lead="Programs that rules, macros and escalations call about a ticket.",
            empty="No webhook yet.", teaches="Name an address here, then let a rule call it; every call is signed.",
        ),
        Section(
            key="tokens", name="API tokens", icon="lock", form=TOKEN_FORM, noun="API token", permission="admin",
            lead="What programs sign in with. A token is shown once, when it is made.",
            empty="No token yet.", teaches="Make one for each program, with no more than it needs.",
        ),
    ),
}  # fmt: skip
SECTIONS: Final = {section.key: section for sections in GROUPS.values() for section in sections}
BY_KIND: Final = {section.kind: section for section in SECTIONS.values()}


def form_for(section: Section, document: Document | None, medium: Medium) -> Form:
    """The form of a document; that of a channel depends on its medium."""
    if section.model is not Channel:
        return section.form
    return CHANNEL_FORMS[document.medium if isinstance(document, Channel) else medium]
