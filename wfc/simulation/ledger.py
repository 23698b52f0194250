"""What services have really done in a run, what has been undone of that, and why the rest stands.

Told from the audit records and from what the services know, whatever the process believes.
"""

from collections.abc import Iterator
from copy import copy

import attrs

from wfc.machine.messages import DeadLetter, Record

_KEPT = {"pivot": "before a point of no return", "settled": "settled", "completed": "its workflow has completed"}
_EFFECTS = {"irreversible": "cannot be undone", "unsaid": "has no undo"}
UNKNOWN = "the process does not know of it"
LETTER = "dead letter on"


@attrs.frozen
class Effect:
    """Something that a service has done for an instance. `effect`: whether it can be undone."""

    operation: str
    instance: str
    effect: str


@attrs.frozen
class Standing:
    """An effect that took place and has not been undone, and why; no reason while the run still goes on."""

    operation: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operation} ({self.reason})" if self.reason else self.operation

    @property
    def calls_for_care(self) -> bool:
        """Whether somebody has to look after it, however the run has ended."""
        return self.reason.startswith(LETTER) or self.reason == UNKNOWN


@attrs.define(slots=True)
class Ledger:
    """The books of one run; everything goes by the key of a call. `undone` is in order."""

    effects: dict[str, Effect] = attrs.field(factory=dict)
    undone: list[str] = attrs.field(factory=list)
    _gone: set[str] = attrs.field(factory=set)
    _kept: dict[str, str] = attrs.field(factory=dict)  # why something can no longer be undone
    _covering: dict[str, str] = attrs.field(factory=dict)  # by key: the key of the region that undoes it
    _regions: dict[tuple[str, str], tuple[str, ...]] = attrs.field(factory=dict)  # covered by one that has just ended
    _cleared: set[str] = attrs.field(factory=set)
    _known: set[str] = attrs.field(factory=set)
    _letters: dict[str, str] = attrs.field(factory=dict)  # the queue

    def copy(self) -> "Ledger":
        """The same books, to be carried on by themselves."""
        return Ledger(*(copy(getattr(self, field.name)) for field in attrs.fields(Ledger)))

    # -- what happens

    def happened(self, key: str, effect: Effect) -> None:
        """A service has done something; done again under the same key, it is done once."""
        self.effects.setdefault(key, effect)

    def letter(self, letter: DeadLetter) -> None:
        """A dead letter has been written."""
        self._letters[letter.key] = letter.queue

    def read(self, record: Record) -> None:
        """Takes in an audit record."""
        key = str(record.get("key"))
        match record.kind:
            case "undone":
                self.undone.append(str(record.get("operation")))
                self._gone.add(key)
            case "answered" | "in doubt" if record.get("key") is not None:
                self._known.add(key)
            case "cleared":
                self._cleared.add(key)
            case "covered":
                keys = tuple(record.get("keeps") or ())
                self._regions[record.instance, record.path] = keys
                self._kept.update(dict.fromkeys(keys, "its scope is not undone"))
            case "undoable":
                for covered in self._regions.pop((record.instance, record.path), ()):
                    self._covering[covered] = key
            case kind:
                if kind in _KEPT:
                    self._kept.update(dict.fromkeys(record.get("keeps") or (), _KEPT[kind]))

    # -- how it stands

    def standing(self) -> Iterator[tuple[Effect, str]]:
        """Effects that stand, in the order of doing, each with its key."""
        return ((effect, key) for key, effect in self.effects.items() if not self._is_gone(key))

    def _is_gone(self, key: str) -> bool:
        return key in self._gone or (key in self._covering and self._is_gone(self._covering[key]))

    def reason(self, key: str) -> str:
        """Why an effect stands; nothing where it may still be undone."""
        if key in self._letters:
            return f"{LETTER} {self._letters[key]}"
        if key in self._covering:
            return self.reason(self._covering[key])
        if key in self._kept:
            return self._kept[key]
        effect = self.effects.get(key)
        if effect is not None and effect.effect in _EFFECTS:
            return _EFFECTS[effect.effect]
        if key in self._known:
            return ""
        return UNKNOWN if key in self._cleared else "nothing to undo"
