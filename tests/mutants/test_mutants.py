"""A small share of `make mutants`, each time: the written programs with a few faults of each kind."""

import pytest

from tests.mutants.harness import Subject, examine, written

PROGRAMS = [subject for subject in written() if subject.group == "program"]


@pytest.mark.parametrize("subject", PROGRAMS, ids=lambda subject: subject.name)
def test_the_checker_finds_what_is_wrong(subject: Subject) -> None:
    found = examine(subject, most=1, states=1_000)
    assert sum(found.wrong.values()) > 0
    assert found.missed == []
    assert found.alarms == []
    assert found.unseen == []
    assert found.astray == []
