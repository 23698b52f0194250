"""The programs that people wrote: the examples, the standard library, the cases of the golden tests."""

from hypothesis import strategies as st

from tests.conftest import ROOT

_FOLDERS = ("examples/*", "stdlib", "tests/golden/emit/cases", "tests/samples", "tests/corpus")


def _texts() -> list[str]:
    paths = [path for folder in _FOLDERS for path in sorted(ROOT.glob(f"{folder}/*.wf"))]
    return sorted((path.read_text(encoding="utf-8") for path in paths), key=len)


def written_programs() -> st.SearchStrategy[str]:
    """Texts of programs that people wrote, short ones first."""
    return st.sampled_from(_texts())
