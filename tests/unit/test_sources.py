from collections.abc import Sequence

from wfc.problems.problem import Report
from wfc.problems.render.concise import concise
from wfc.project.files import MemoryFiles
from wfc.project.settings import load_settings
from wfc.project.sources import project_paths, read_sources, source_from_input, start_folder

PROJECT = (
    ".git/x.wf",
    "a.wf",
    "node_modules/p/x.wf",
    "other/wfc.toml",
    "other/x.wf",
    "shop/b.wf",
    "shop/deep/c.wf",
    "shop/notes.txt",
    "wfc.toml",
    "workflows/x.wf",
)


def read(paths: Sequence[str], names: Sequence[str] = PROJECT) -> tuple[list[str], list[str]]:
    files = MemoryFiles(dict.fromkeys(names, ""))
    report = Report()
    settings = load_settings(files, start_folder(paths, files), report)
    sources = read_sources(paths, settings, files, report)
    return [source.path for source in sources], [_told(problem) for problem in report.problems]


def _told(problem: object) -> str:
    from wfc.problems.problem import Problem

    assert isinstance(problem, Problem)
    return "; ".join([concise(problem), *problem.help()])


def test_without_a_path_the_whole_project_is_taken() -> None:
    assert read([]) == (["a.wf", "shop/b.wf", "shop/deep/c.wf"], [])


def test_a_folder_stands_for_the_sources_right_in_it() -> None:
    assert read(["shop"]) == (["shop/b.wf"], [])


def test_a_source_named_twice_is_read_once() -> None:
    assert read(["shop/b.wf", "shop", "a.wf"]) == (["shop/b.wf", "a.wf"], [])


def test_a_misspelt_path_is_told_with_what_was_meant() -> None:
    told = "shop/bb.wf:1:1: error[missing-source]: there is no such file or folder; did you mean `shop/b.wf`?"
    assert read(["shop/bb.wf", "a.wf"]) == (["a.wf"], [told])
    told = "a:1:1: error[missing-source]: there is no such file or folder; did you mean `a.wf`?"
    assert read(["a"]) == ([], [told])


def test_a_folder_without_sources_is_told() -> None:
    told = "x:1:1: error[no-sources]: there are no .wf files in this folder; there are some below it: name `x/y`"
    assert read(["x"], ["x/y/a.wf"]) == ([], [told])


def test_a_project_without_sources_is_told() -> None:
    assert read([], ["notes.txt"]) == (
        [],
        [".:1:1: error[no-sources]: there are no .wf files in this project; `wfc new NAME` begins a project"],
    )
    told = ".:1:1: error[no-sources]: there are no .wf files in this project; there are some below it: name `p`"
    assert read([], ["p/wfc.toml", "p/a.wf"]) == ([], [told])


def test_the_settings_around_the_first_path_count() -> None:
    files = MemoryFiles(dict.fromkeys(PROJECT, ""))
    assert start_folder(["other/x.wf"], files) == "other"
    assert start_folder(["other"], files) == "other"
    assert start_folder(["-"], files) == "."
    settings = load_settings(files, "other", Report())
    assert list(project_paths(settings, files)) == ["other/x.wf"]


def test_standard_input_is_a_source_under_its_given_name() -> None:
    report = Report()
    assert [source.text for source in source_from_input(b"module a", "a.wf", report)] == ["module a"]
    assert source_from_input(b"\0", "a.wf", report) == ()
    assert [problem.code for problem in report.problems] == ["nul-character"]
