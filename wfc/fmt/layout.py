"""From a text to its layout, and the proof that it says the same."""

from wfc.fmt.measure import Measured
from wfc.fmt.order import in_order
from wfc.fmt.plan import Plan
from wfc.fmt.tree import grown
from wfc.fmt.words import Words, one_kind_of_line_ends, words
from wfc.fmt.write import written


class Unfaithful(Exception):  # noqa: N818 - it says what a layout is
    """The layout does not say what the text says: a bug of ours."""


def layout(text: str) -> str | None:
    """A text in the one layout, its line ends as they are in its first line; None where it does not parse."""
    plain = one_kind_of_line_ends(text)
    given = words(plain)
    tree = grown(given.terms) if given is not None else None
    if given is None or tree is None:
        return None
    ordered = in_order(given, tree)
    if ordered is not None:
        given, tree = ordered, grown(ordered.terms)
        if tree is None:
            raise Unfaithful("in their order, the clauses do not parse")
    plan = Plan(Measured(given, tree))
    plan.file(tree)
    found = written(plan)
    prove(given, found)
    first = text.find("\n")
    return found.replace("\n", "\r\n") if first > 0 and text[first - 1] == "\r" else found


def prove(given: Words, found: str) -> None:
    """Makes sure that a layout has the tokens, the comments and the doc comments of what it lays out.

    A tree is made of nothing else, so it is the same as well. Only commas before a closing bracket come and go.
    """
    again = words(found)
    if again is None or _essence(again) != _essence(given):
        raise Unfaithful("the layout differs from its source in more than white space")


def _essence(given: Words) -> tuple[list[str], list[str], dict[int, str]]:
    """The tokens, the comments in their order, and the doc comments by token."""
    texts: list[str] = []
    comments: list[str] = []
    docs: dict[int, str] = {}
    every = given.texts
    for i, text in enumerate(every):
        comments += [lead.text for lead in given.leads.get(i, ())]
        if i in given.docs:
            docs[len(texts)] = given.docs[i]
        if text != "," or every[i + 1] not in _CLOSERS:
            texts.append(text)
        if i in given.trails:
            comments.append(given.trails[i])
    return texts, comments, docs


_CLOSERS = frozenset({")", "]", "}"})
