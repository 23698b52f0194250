import pytest

from wfc.problems.problem import Report
from wfc.problems.render.concise import concise
from wfc.project.files import MemoryFiles
from wfc.project.settings import Settings, load_settings


def load(contents: dict[str, str | bytes], start: str = ".") -> tuple[Settings, list[str]]:
    report = Report()
    settings = load_settings(MemoryFiles(contents), start, report)
    return settings, [concise(problem) for problem in report.problems]


def test_without_a_file_the_defaults_hold() -> None:
    assert load({"a.wf": ""}) == (Settings(root="."), [])


def test_all_settings_are_read() -> None:
    text = """
        currency = "EUR"
        dead-letters = "desk.letters"
        max-retries = 0
        timeout = "1m30s"
        out = "./build/workflows/"
    """
    settings, found = load({"wfc.toml": text})
    assert not found
    assert settings == Settings(
        root=".",
        currency="EUR",
        dead_letters="desk.letters",
        max_retries=0,
        timeout_ms=90_000,
        out="build/workflows",
    )
    assert settings.out_folder == "build/workflows"


def test_the_nearest_file_around_counts() -> None:
    contents: dict[str, str | bytes] = {
        "wfc.toml": "max-retries = 1",
        "shop/wfc.toml": "max-retries = 2",
        "shop/deep/a.wf": "",
    }
    settings, _ = load(contents, "shop/deep")
    assert (settings.root, settings.max_retries, settings.out_folder) == ("shop", 2, "shop/workflows")


def test_a_pyproject_counts_only_if_it_speaks_of_wfc() -> None:
    contents: dict[str, str | bytes] = {
        "pyproject.toml": '[tool.wfc]\ntimeout = "5s"\n',
        "shop/pyproject.toml": '[tool.other]\nname = "wfc"\n',
    }
    settings, found = load(contents, "shop")
    assert (settings.root, settings.timeout_ms, found) == (".", 5_000, [])


def test_wfc_toml_stands_over_pyproject() -> None:
    settings, _ = load({"pyproject.toml": "[tool.wfc]\nmax-retries = 1", "wfc.toml": "max-retries = 2"})
    assert settings.max_retries == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "max-retries = true",
            "wfc.toml:1:15: error[invalid-setting]: `max-retries` takes a whole number, 0 or more, not true",
        ),
        (
            "max-retries = -1",
            "wfc.toml:1:15: error[invalid-setting]: `max-retries` takes a whole number, 0 or more, not -1",
        ),
        (
            "timeout = 30",
            'wfc.toml:1:11: error[invalid-setting]: `timeout` takes a duration above zero, such as "30s", not 30',
        ),
        (
            "timeout = '0s'",
            'wfc.toml:1:11: error[invalid-setting]: `timeout` takes a duration above zero, such as "30s", not "0s"',
        ),
        (
            "currency = 'Euro'",
            'wfc.toml:1:12: error[invalid-setting]: `currency` takes a currency of three capital letters, such as "EUR", not "Euro"',
        ),
        (
            "dead-letters = []",
            "wfc.toml:1:16: error[invalid-setting]: `dead-letters` takes the name of a queue, not a list",
        ),
        ("out = '/tmp'", 'wfc.toml:1:7: error[invalid-setting]: `out` takes a folder inside the project, not "/tmp"'),
        (
            "out = 'a/../..'",
            'wfc.toml:1:7: error[invalid-setting]: `out` takes a folder inside the project, not "a/../.."',
        ),
        ("max_retries = 3", "wfc.toml:1:1: error[unknown-setting]: there is no setting named `max_retries`"),
        ("[more]", "wfc.toml:1:2: error[unknown-setting]: there is no setting named `more`"),
        ("timeout = ", "wfc.toml:1:11: error[malformed-settings]: this is not valid TOML: invalid value"),
        ("x = 1\nx = 2", "wfc.toml:2:6: error[malformed-settings]: this is not valid TOML: cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, told: str) -> None:
    settings, found = load({"wfc.toml": line})
    assert found == [told]
    assert settings == Settings(root=".")


def test_a_wrong_setting_leaves_the_others() -> None:
    settings, found = load({"wfc.toml": "max-retries = 7\ntimeot = '1s'"})
    assert settings.max_retries == 7
    assert len(found) == 1


def test_places_in_a_pyproject_are_those_of_its_table() -> None:
    text = "[project]\ncurrency = 1\n\n[tool.wfc]  # ours\ncurrency = 1\n"
    _, found = load({"pyproject.toml": text})
    assert [line.partition(" ")[0] for line in found] == ["pyproject.toml:5:12:"]


def test_a_settings_file_that_is_no_text_is_a_problem() -> None:
    _, found = load({"wfc.toml": b"\xff"})
    assert found == ["wfc.toml:1:1: error[not-utf8]: this is not UTF-8 text: byte 0xff at offset 0, on line 1"]
