"""Writes every generated file of the checkout, or with `--check` says which are not up to date."""

import argparse
import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from wfc.devtools import editor_words, machine_schema, parser_tables, problem_index, target_table

ROOT = Path(__file__).resolve().parents[2]

# A generator takes the checkout and gives texts by path below it. The parser comes first: others may want to parse.
GENERATORS: tuple[Callable[[Path], Mapping[str, str]], ...] = (
    parser_tables.generate,
    problem_index.generate,
    machine_schema.generate,
    target_table.generate,
    editor_words.generate,
)


def generated(root: Path = ROOT) -> dict[str, str]:
    """Every generated text by its path below the checkout."""
    texts: dict[str, str] = {}
    for generator in GENERATORS:
        for path, text in generator(root).items():
            if path in texts:
                raise ValueError(f"two generators write {path}")
            texts[path] = text
    return texts


def outdated(root: Path = ROOT) -> dict[str, str]:
    """Of the generated files those whose text on disk differs, each with what it should be."""
    return {path: text for path, text in generated(root).items() if _on_disk(root / path) != text}


def _on_disk(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write(root: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {path}")


def _report(root: Path, texts: Mapping[str, str]) -> None:
    for path, text in texts.items():
        old = (_on_disk(root / path) or "").splitlines(keepends=True)
        diff = difflib.unified_diff(old, text.splitlines(keepends=True), path, f"{path} (generated)", n=1)
        sys.stdout.writelines(line[:200].rstrip("\n") + "\n" for line in list(diff)[:40])
        print(f"{path} is not up to date; run `python -m wfc.devtools.generate`")


def main(arguments: list[str] | None = None) -> int:
    """Runs all generators; with `--check` nothing is written and the exit code is 1 if something differs."""
    parser = argparse.ArgumentParser(prog="python -m wfc.devtools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    chosen = parser.parse_args(arguments)
    texts = outdated()
    if not chosen.check:
        _write(ROOT, texts)
        return 0
    _report(ROOT, texts)
    return 1 if texts else 0


if __name__ == "__main__":
    raise SystemExit(main())
