"""`make mutants`: seeds faults into correct programs, asks the machine which are real, and whether the checker finds them.

    python -m tests.mutants.harness [--programs N] [--write]

The programs are the examples, the standard library, those of `programs/` and N generated ones. `--write` puts the
report into docs/reference/mutants.md.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import Pool
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.mutants.judge import Judged, judge, replays
from tests.mutants.kinds import KINDS, Mutant, mutants
from tests.mutants.oracle import Fault
from tests.strategies.programs import programs
from wfc.driver.pipeline import RECURSION
from wfc.problems.problem import Severity

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/mutants.md"
STATES = {"generated": 1_500, "program": 4_000, "example": 800}
OF_A_KIND = {"generated": 1, "program": 12, "example": 2}  # mutants of one kind from one program
SHOWN = 20


@dataclass(frozen=True)
class Subject:
    """A correct program: the file that is changed, and those it is compiled with."""

    name: str
    group: str
    text: str
    others: tuple[tuple[str, str], ...] = ()

    def files(self, text: str) -> dict[str, str]:
        return {"main.wf": text, **dict(self.others)}


@dataclass
class Outcome:
    """What came of one program: by kind, mutants made, without meaning, without harm, wrong; what was missed."""

    made: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, str, int, Fault, str, str]] = field(default_factory=list)
    alarms: list[tuple[str, str, int, str]] = field(default_factory=list)
    unseen: list[tuple[str, str]] = field(default_factory=list)
    traces: int = 0
    astray: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        for name in ("made", "refused", "harmless", "wrong", "faults"):
            getattr(self, name).update(getattr(other, name))
        for name in ("missed", "alarms", "unseen", "astray"):
            getattr(self, name).extend(getattr(other, name))
        self.traces += other.traces


def examine(subject: Subject, most: int | None = None, states: int | None = None) -> Outcome:
    """Judges a program and its mutants, at most so many of each kind, by so many states of the machine."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    found = Outcome()
    states = states or STATES[subject.group]
    base = judge(subject.files(subject.text), states)
    if base.refused:
        found.alarms.append((subject.name, "refused", 0, "; ".join(p.message() for p in base.problems)))
        return found
    loud = {Severity.ERROR} if subject.group == "generated" else {Severity.ERROR, Severity.WARNING}
    for problem in base.problems:
        if problem.level() in loud:
            found.alarms.append((subject.name, problem.code, problem.at.line, problem.message()))
    found.unseen = [(subject.name, f"{kind} {name}") for kind, name in base.missed if kind != "never entered"]
    for mutant in _chosen(subject, most or OF_A_KIND[subject.group]):
        found.made[mutant.kind] += 1
        _count(found, subject, base, mutant, judge(subject.files(mutant.text), states))
    return found


def _count(found: Outcome, subject: Subject, base: Judged, mutant: Mutant, judged: Judged) -> None:
    if judged.refused:
        found.refused[mutant.kind] += 1
        return
    told, astray = replays(subject.files(mutant.text), judged)
    found.traces += told
    found.astray += [f"{subject.name}, {mutant.kind} in line {mutant.line}: {text}" for text in astray]
    fresh = {fault: trace for fault, trace in judged.truth.faults.items() if fault not in base.truth.faults}
    if not fresh:
        found.harmless[mutant.kind] += 1
        return
    found.wrong[mutant.kind] += 1
    for fault, trace in fresh.items():
        found.faults[fault[0]] += 1
        if fault in judged.missed:
            found.missed.append((subject.name, mutant.kind, mutant.line, fault, trace, mutant.text))


def _chosen(subject: Subject, most: int) -> Iterator[Mutant]:
    """Of each kind some, by lot; the lot is that of the text."""
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in mutants(subject.text):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    lot = random.Random(subject.text)  # noqa: S311 - to be drawn again
    for kind in sorted(by_kind):
        every = by_kind[kind]
        yield from lot.sample(every, min(len(every), most))


# -------------------------------------------------------------------------------------------------------- the programs


def written() -> Iterator[Subject]:
    """The programs of this folder, the examples and the standard library."""
    for path in sorted(Path(__file__).parent.glob("programs/*.wf")):
        yield Subject(f"programs/{path.name}", "program", path.read_text())
    for folder in sorted((ROOT / "examples").iterdir()):
        paths = sorted(folder.glob("*.wf")) if folder.is_dir() else []
        for path in paths:
            others = tuple((other.name, other.read_text()) for other in paths if other is not path)
            records = folder.glob("workflows/versions/*.json")
            others += tuple((record.relative_to(folder).as_posix(), record.read_text()) for record in sorted(records))
            yield Subject(f"{folder.name}/{path.name}", "example", path.read_text(), others)


def generated(count: int, number: int = 1) -> list[Subject]:
    """Generated programs, the same for the same numbers."""
    texts: dict[str, None] = {}

    @seed(number)
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(programs(max_nodes=3, max_steps=6))
    def draw(program: object) -> None:
        texts[program.text] = None  # type: ignore[attr-defined]

    draw()
    return [Subject(f"generated {place}", "generated", text) for place, text in enumerate(texts, 1)]


def run(subjects: list[Subject], processes: int = 2) -> Outcome:
    """All of them, side by side."""
    total = Outcome()
    with Pool(processes) as pool:
        for place, found in enumerate(pool.imap(examine, subjects, chunksize=1), 1):
            total.add(found)
            sys.stderr.write(f"\r{place} of {len(subjects)} programs, {sum(total.wrong.values())} mutants wrong")
    sys.stderr.write("\n")
    return total


# ---------------------------------------------------------------------------------------------------------- the report

HEAD = """<!-- Written by `make mutants`; do not edit. -->

# How well the checker finds what is wrong

Correct programs are changed as people change them by mistake: a compensation is gone, an arrow leads elsewhere, a key
is forgotten. The machine is then explored, without the checker's help, to see what really goes wrong in the changed
program: an effect that an abort leaves standing, a process that stands still or goes round for ever, an error that
crosses a point of no return. The checker must say each of these, with the right code, of the right thing. The runs that
it tells must replay in the machine.
"""


def report(total: Outcome, programs_count: int) -> str:
    """The page."""
    wrong, missed = sum(total.wrong.values()), len({m[:3] for m in total.missed})
    recall = 100 * (wrong - missed) / wrong if wrong else 100
    lines = [
        HEAD,
        f"""- **{programs_count:,} correct programs**: the examples, some written for this, and as many generated ones as were asked for.
  False alarms on them: **{len(total.alarms)}**.
- **{sum(total.made.values()):,} mutants of {len(total.made)} kinds**. {sum(total.refused.values()):,} have no meaning
  any more (a name or a type is missing), {sum(total.harmless.values()):,} do no harm that the machine shows.
- **{wrong:,} mutants are really wrong. Found: {recall:.1f} %** ({missed} missed).
- {total.traces:,} runs were told with the findings; {len(total.astray)} of them did not replay.
""",
        "| kind | mutants | without meaning | harmless | wrong | missed |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    by_kind = Counter(kind for _, kind, _ in {m[:3] for m in total.missed})
    for kind, _ in KINDS:
        if total.made[kind]:
            counts = (total.made, total.refused, total.harmless, total.wrong, by_kind)
            lines.append(f"| {kind.replace('-', ' ')} | {' | '.join(str(count[kind]) for count in counts)} |")
    lines += ["", "| what goes wrong | times | missed |", "| --- | ---: | ---: |"]
    lost = Counter(m[3][0] for m in total.missed)
    lines += [f"| {fault} | {count} | {lost[fault]} |" for fault, count in sorted(total.faults.items())]
    for title, items in (
        (
            "Missed",
            [
                f"{name}, {kind} in line {line}: {f[0]} {f[1]} ({trace})"
                for name, kind, line, f, trace, _ in total.missed
            ],
        ),
        ("False alarms", [f"{name}:{line}: {code}: {text}" for name, code, line, text in total.alarms]),
        ("Wrong in a correct program, and not told", [f"{name}: {text}" for name, text in total.unseen]),
        ("Runs that do not replay", total.astray),
    ):
        if items:
            lines += ["", f"**{title}**", "", *(f"- {item[:300]}" for item in items[:SHOWN])]
            if len(items) > SHOWN:
                lines.append(f"- and {len(items) - SHOWN} more")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs everything and prints the report."""
    parser = argparse.ArgumentParser(description="how well the checker finds seeded faults")
    parser.add_argument("--programs", type=int, default=300, help="generated programs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write docs/reference/mutants.md")
    parser.add_argument("--show", action="store_true", help="print the text of what was missed")
    chosen = parser.parse_args()
    subjects = [*written(), *generated(chosen.programs, chosen.seed)]
    total = run(subjects)
    page = report(total, len(subjects))
    sys.stdout.write(page)
    if chosen.show:
        for name, kind, line, fault, trace, text in total.missed:
            sys.stdout.write(f"\n===== {name} {kind} {line} {fault} {trace}\n{text}\n")
    if chosen.write:
        PAGE.write_text(page)
    return 1 if total.missed or total.alarms or total.astray else 0


if __name__ == "__main__":
    raise SystemExit(main())
