"""Names of an emitted module: what is taken gets a trailing `_`, the same way each time.

A name of the module never equals one that a class in it gives to a method, a property or a field: inside that class it
would mean something else. What comes from elsewhere is then imported under another name.
"""

from collections.abc import Callable, Iterable
from keyword import kwlist

from wfc.ir.machine import Machine
from wfc.ir.python_names import PythonNames
from wfc.text.names import pascal

FROM = {
    "abstractmethod": "abc",
    "Decimal": "decimal",
    **dict.fromkeys(("Answer", "Context", "Date", "Duration", "Failure", "Instant", "NotWritten"), "wfc.activities"),
    **dict.fromkeys(
        ("Generic", "Literal", "Never", "NotRequired", "Protocol", "TypeAlias", "TypedDict", "TypeVar"), "typing"
    ),
}
_BUILTINS = """
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError
    BufferError BytesWarning ChildProcessError ConnectionError Ellipsis EOFError Exception ExceptionGroup
    FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError IndexError
    InterruptedError KeyError KeyboardInterrupt LookupError MemoryError NameError NotImplemented NotImplementedError
    OSError OverflowError PermissionError ProcessLookupError RecursionError ReferenceError RuntimeError StopIteration
    SyntaxError SystemError SystemExit TimeoutError TypeError UnicodeError ValueError Warning ZeroDivisionError abs all
    any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir divmod
    enumerate eval exec filter float format frozenset getattr globals hasattr hash help hex id input int isinstance
    issubclass iter len list locals map max memoryview min next object oct open ord pow print property range repr
    reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip
""".split()
OWN = ("annotations", "Activities", "activities")  # the last two are of a module that a user writes
TAKEN = frozenset((*kwlist, *_BUILTINS, *FROM, *OWN))


class Names:
    """The names of the module of one machine."""

    def __init__(self, machine: Machine, called: PythonNames, members: Iterable[str]) -> None:
        self.members = frozenset(members)
        self._taken = {*TAKEN, *self.members}
        self._elsewhere: dict[str, str] = {}
        self._made: dict[tuple[str, str], str] = {}
        self.whole = self.fresh(f"{pascal(machine.workflow.name)}Activities")
        for each in machine.records:
            self.of("type", each.name)
        for kind in machine.enums:
            self.of("type", kind.name)
        for error in machine.errors:
            self.of("error", error.name)
        self.services = {name: self.fresh(pascal(short)) for name, short in called.services.items()}

    def of(self, sort: str, name: str, wanted: Callable[[str], str] = str) -> str:
        """The name of a definition: of a `type`, the class of an `error`, and so on."""
        if (sort, name) not in self._made:
            self._made[sort, name] = self.fresh(wanted(name))
        return self._made[sort, name]

    def fresh(self, wanted: str) -> str:
        """A name that nothing else has."""
        found = wanted
        while found in self._taken:
            found += "_"
        self._taken.add(found)
        return found

    def elsewhere(self, name: str) -> str:
        """What something of Python or of ours is called here."""
        if name not in self._elsewhere:
            self._elsewhere[name] = self.fresh(name) if name in self.members else name
        return self._elsewhere[name]
