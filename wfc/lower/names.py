"""Short names, unique within a machine, for the qualified names of the checker."""


class Namer:
    """Names of one space: the last part of the qualified name, with its module in front where that is taken."""

    def __init__(self, parts: int = 1) -> None:
        self._parts = parts
        self._short: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, qualified: str) -> str:
        """The short name; the same for the same name."""
        found = self._short.get(qualified)
        if found is None:
            pieces = qualified.split(".")
            found = ".".join(pieces[-self._parts :])
            before = pieces[: -self._parts]
            while found in self._taken and before:
                found = f"{before.pop()}_{found}"
            number = 2
            while found in self._taken:
                found = f"{'.'.join(pieces[-self._parts :])}_{number}"
                number += 1
            self._short[qualified] = found
            self._taken.add(found)
        return found
