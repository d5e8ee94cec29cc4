"""A whole form: filled from a document, read back into one, drawn with what is wrong at its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import JsonValue, ValidationError

from deskwire_query.web.admin.forms.controls import Control, Drawing, Field, Problems
from deskwire_query.web.admin.forms.derived import start_of
from deskwire_query.web.admin.forms.fields import Line
from deskwire_query.web.admin.forms.groups import controls_of, place_among, read_fields
from deskwire_query.web.admin.forms.problem_words import problem_words
from deskwire_query.web.admin.forms.trees import Tree, branch, word
from deskwire_shared.contracts.document import Document

Secrets = Callable[[Tree], tuple[Line, ...]]
"""What has to be kept secret, by what the form holds."""

LONGEST_SECRET: Final = 4_000


class Rejected(Exception):
    """A form cannot be stored."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(sentence for sentences in problems.found.values() for sentence in sentences))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Part:
    """Fields under a heading; a folded part is opened by whoever needs it."""

    title: str
    fields: tuple[Field, ...]
    hint: str = ""
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class DrawnPart:
    """A part of a form as a template draws it."""

    title: str
    hint: str
    controls: tuple[Control, ...]
    folded: bool


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a kind of document is made and changed."""

    model: type[Document]
    parts: tuple[Part, ...]
    always: Mapping[str, JsonValue] = field(default_factory=dict)
    """What every document of this form holds."""
    start: Mapping[str, JsonValue] = field(default_factory=dict)
    """What a new document begins with, beside the defaults of its model."""
    secrets: Secrets = lambda _: ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields of documents."""
        return tuple(each for part in self.parts for each in part.fields)

    def fill(self, document: Document | None) -> Tree:
        """Fill the form from a document, or with what a new one begins with."""
        values = {**start_of(self.model), **self.start} if document is None else document.model_dump(mode="json")
        filled = {each.name: each.fill(values[each.name]) for each in self.fields if each.name in values}
        return {name: node for name, node in filled.items() if node is not None}

    def read(self, tree: Tree, existing: Document | None) -> Document:
        """Make the document that the form says; what it does not hold stays as it was. Raises Rejected."""
        problems = Problems()
        held: dict[str, Any] = {} if existing is None else existing.model_dump(mode="json")
        read = read_fields(self.fields, tree, "", problems)
        document = self._validated({**self.always, **held, **read}, tree, problems)
        if document is None or problems.found:
            raise Rejected(problems)
        return document

    def given_secrets(self, tree: Tree) -> dict[str, str]:
        """Read the secrets that were entered; an empty field changes nothing. Raises Rejected."""
        given = {each.name: secret for each in self.secrets(tree) if (secret := word(tree.get(each.name)))}
        problems = Problems()
        for name in (name for name, secret in given.items() if len(secret) > LONGEST_SECRET):
            problems.add(name, f"At most {LONGEST_SECRET} characters fit.")
        if problems.found:
            raise Rejected(problems)
        return given

    def draw(self, tree: Tree, drawing: Drawing) -> tuple[DrawnPart, ...]:
        """Draw every part; a folded one is open while something in it is wrong."""
        drawn = [self._part(part, tree, drawing) for part in self.parts]
        if secrets := self.secrets(tree):
            controls = tuple(each.control(None, each.name, drawing) for each in secrets)
            hint = "Kept apart from the settings, and never shown again. Leave a field empty to keep what it has."
            drawn.append(DrawnPart(title="Secrets", hint=hint, controls=controls, folded=False))
        return tuple(drawn)

    def _part(self, part: Part, tree: Tree, drawing: Drawing) -> DrawnPart:
        controls = controls_of(part.fields, tree, "", drawing)
        wrong = any(drawing.problems.at(path) for path in paths_of(controls))
        return DrawnPart(title=part.title, hint=part.hint, controls=controls, folded=part.folded and not wrong)

    def _validated(self, values: Mapping[str, Any], tree: Tree, problems: Problems) -> Document | None:
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            for each in error.errors():
                path = place_among(self.fields, each["loc"], branch(tree), "")
                if not path or not (problems.at(path) or (each["type"] == "too_short" and problems.within(path))):
                    problems.add(path, problem_words(each))
            return None


def paths_of(controls: tuple[Control, ...]) -> set[str]:
    """The paths of controls and of everything in them."""
    return {control.path for control in controls}.union(*(paths_of(control.children) for control in controls))


def unplaced(problems: Problems, parts: tuple[DrawnPart, ...]) -> tuple[str, ...]:
    """The sentences that stand at no field."""
    shown = set().union(*(paths_of(part.controls) for part in parts)) - {""}
    return tuple(sentence for path, found in problems.found.items() if path not in shown for sentence in found)
