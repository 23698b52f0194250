"""Which constructs generated programs may have."""

from enum import Enum, auto


class Feature(Enum):
    """One construct or a few that belong together."""

    SCOPE = auto()
    GATEWAY = auto()
    CHOOSE = auto()
    AWAIT = auto()
    PARALLEL = auto()
    FOR_EACH = auto()
    REPEAT = auto()
    LOCK = auto()
    CHILD = auto()
    START = auto()
    TASK = auto()
    GUARD_EVENT = auto()
    GUARD_TIME = auto()
    GUARD_BESIDE = auto()
    CATCH = auto()
    KEEP = auto()
    RAISES = auto()
    COMPENSATE = auto()
    POLICY = auto()
    PIVOT = auto()
    UNDO = auto()
    SETTLE = auto()
    OPTIONAL = auto()
    VARIABLE = auto()
    VIEW = auto()
    SLA = auto()
    IGNORE = auto()
    EMIT = auto()
    AUDIT = auto()
    MEASURE = auto()
    WAIT = auto()
    LOOP = auto()
    SECRET = auto()
    PERSONAL = auto()
    MAP = auto()
    ALIAS = auto()
    DEFAULT = auto()
    REFINED = auto()
    FUNCTION = auto()
    CONSTANT = auto()
    DOC = auto()
    IMPORT = auto()


ALL = frozenset(Feature)
