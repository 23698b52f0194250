"""Report what is wrong with workflows."""

from argparse import ArgumentParser, Namespace

from wfc.cli.base.exits import WRONG_USE
from wfc.cli.base.input import add_path_arguments, add_strictness_option, exit_code, read_input
from wfc.cli.base.screen import FORMATS, add_color_option, complain, print_problems, print_summary
from wfc.driver import pipeline
from wfc.problems.render.summary import summary
from wfc.project.sources import STANDARD_INPUT


def add_arguments(parser: ArgumentParser) -> None:
    """Declares what `wfc check` takes."""
    add_path_arguments(parser, standard_input=True)
    parser.add_argument(
        "--output-format",
        choices=FORMATS,
        default="full",
        help="full: with source and advice; concise: one line a problem; json: for programs",
    )
    add_strictness_option(parser)
    add_color_option(parser)


def run(chosen: Namespace) -> int:
    """Checks the sources and reports the problems."""
    if STANDARD_INPUT in chosen.paths and len(chosen.paths) > 1:
        complain("- stands alone: standard input cannot be checked together with files")
        return WRONG_USE
    given = read_input(chosen.paths, chosen.stdin_filename)
    report = given.report
    if given.sources:
        checked = pipeline.check(given.sources, given.settings, given.files, pipeline.Options())
        code = exit_code(checked.report.problems, given, warnings_count=chosen.warnings_as_errors)
        for problem in checked.report.problems:
            report(problem)
    else:
        code = exit_code((), given, warnings_count=False)
    print_problems(report.problems, chosen.output_format, chosen)
    print_summary(summary(report.problems, len(given.sources)))
    return code
