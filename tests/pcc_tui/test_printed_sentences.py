"""No sentence of the program names a command that no test collects and runs as it is printed.

A sentence with a new command fails here until a test prints the sentence, takes the command from
what was printed and runs it. The name of that test then stands in `COLLECTED_BY`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("backends", "journal", "pcc_tui", "pipeline")

MAKERS = ("command_line", "same_line")
"""Methods that return a whole command."""

MADE_ELSEWHERE = {
    "pcc_tui/cli/labels.py: {}",
    "pcc_tui/cli/run_request.py: {}",
}
"""Sentences around a command that one of these methods returned."""

COLLECTED_BY: dict[str, tuple[str, ...]] = {
    "backends/api.py: pcc models --backend {}": (
        "test_a_run_that_a_server_stopped_goes_on_as_it_was_told",
        "test_a_trial_of_a_model_that_is_gone_prints_where_models_are_listed",
        "test_what_failed_shows_whole_commands_on_the_run_screen",
    ),
    "pcc_tui/cli/bootstrap.py: pcc labels import {}": (
        "test_names_are_suggested_corrected_and_brought_back",
    ),
    "pcc_tui/cli/compare.py: pcc {}": ("test_a_page_of_a_comparison_says_what_asks_again",),
    "pcc_tui/cli/doctor.py: pcc watch": (
        "test_a_paused_ingestion_shows_on_the_run_screen_how_it_goes_on",
    ),
    "pcc_tui/cli/estimate.py: pcc estimate --pilot 20": (
        "test_an_estimate_prints_the_pilot_that_measures_it",
    ),
    "pcc_tui/cli/full_screen.py: pcc": ("test_an_app_that_leaves_a_job_prints_how_to_show_it",),
    "pcc_tui/cli/ingest.py: pcc ingest run --retry-errors": (
        "test_an_ingestion_prints_how_to_see_why_and_try_again",
    ),
    "pcc_tui/cli/ingest.py: pcc ingest status": (
        "test_an_ingestion_prints_how_to_see_why_and_try_again",
    ),
    "pcc_tui/cli/journal.py: pcc journal repair": (
        "test_commands_that_count_and_check_print_whole_commands",
    ),
    "pcc_tui/cli/labels.py: pcc labels import {}": (
        "test_commands_about_clusters_print_whole_commands",
    ),
    "pcc_tui/cli/main.py: pcc --help": ("test_what_is_misspelt_prints_where_the_right_words_are",),
    "pcc_tui/cli/plan.py: pcc {}": (
        "test_every_row_of_the_plan_does_what_it_says",
        "test_a_server_that_is_not_shown_is_not_replaced_by_the_vendor",
    ),
    "pcc_tui/cli/report.py: pcc cluster": ("test_commands_about_clusters_print_whole_commands",),
    "pcc_tui/cli/report.py: pcc embed": ("test_commands_about_clusters_print_whole_commands",),
    "pcc_tui/cli/run.py: pcc journal check": (
        "test_commands_that_count_and_check_print_whole_commands",
    ),
    "pcc_tui/cli/run.py: pcc run --retry-status error_api --retry-only": (
        "test_a_run_that_a_server_stopped_goes_on_as_it_was_told",
    ),
    "pcc_tui/cli/run.py: pcc run --retry-status {} --retry-only": (
        "test_the_retry_that_a_run_prints_retries_alone_and_with_the_same_backend",
    ),
    "pcc_tui/cli/run_request.py: pcc {}": ("test_what_asks_for_a_server_prints_itself",),
    "pcc_tui/cli/stats.py: pcc journal check": (
        "test_commands_that_count_and_check_print_whole_commands",
    ),
    "pcc_tui/desks/command_process.py: {}": (
        "test_an_answer_that_cannot_be_read_names_the_command_that_gave_it",
    ),
    "pcc_tui/screens/datasets.py: pcc ingest run --help": (
        "test_the_datasets_screen_shows_whole_commands",
    ),
    "pcc_tui/screens/library.py: pcc journal check": ("test_screens_show_whole_commands",),
    "pcc_tui/screens/parts/ingestion_rows.py: pcc {}": (
        "test_the_datasets_screen_shows_whole_commands",
    ),
    "pcc_tui/words/datasets.py: pcc dataset enrich --redo patches{}": (
        "test_patch_files_of_two_models_print_how_to_make_the_rest",
        "test_the_datasets_screen_shows_whole_commands",
    ),
    "pcc_tui/words/datasets.py: pcc dataset enrich --redo t5": (
        "test_a_check_of_masks_prints_how_to_make_them_anew",
    ),
    "pcc_tui/words/datasets.py: pcc doctor": (
        "test_captions_without_a_backend_print_where_backends_are_listed",
    ),
    "pcc_tui/words/ingestion.py: {}": ("test_an_ingestion_prints_how_to_see_why_and_try_again",),
    "pipeline/captions/request.py: pcc run --run-id {}{}": (
        "test_a_run_that_a_server_stopped_goes_on_as_it_was_told",
        "test_a_forced_run_that_stops_at_its_limit_goes_on_behind_it",
    ),
    "pipeline/clusters/label_changes.py: pcc labels list": (
        "test_commands_about_clusters_print_whole_commands",
    ),
    "pipeline/clusters/search.py: pcc embed --embedder {}": (
        "test_what_reads_clusters_prints_how_to_make_them",
    ),
    "pipeline/clusters/tree_file.py: pcc cluster": (
        "test_commands_about_clusters_print_whole_commands",
    ),
    "pipeline/clusters/tree_file.py: pcc cluster --force": (
        "test_what_reads_clusters_prints_how_to_make_them",
    ),
    "pipeline/clusters/tree_file.py: pcc cluster --force --embedder {}": (
        "test_what_reads_clusters_prints_how_to_make_them",
    ),
    "pipeline/datasets/enrich.py: pcc dataset enrich --redo {}": (
        "test_a_pass_that_reads_a_text_waits_for_it",
    ),
    "pipeline/datasets/errors.py: pcc dataset enrich --redo patches {}": (
        "test_patch_files_of_two_models_print_how_to_make_the_rest",
    ),
    "pipeline/ingest/cache/manifest.py: pcc ingest run": (
        "test_where_there_is_no_cache_the_ingestion_that_makes_one_is_printed",
    ),
    "pipeline/ingest/importing/adapters.py: pcc ingest run": (
        "test_an_import_prints_the_ingestion_that_mends_its_cache",
    ),
    "pipeline/ingest/importing/importer.py: pcc ingest run": (
        "test_an_import_prints_the_ingestion_that_mends_its_cache",
    ),
    "pipeline/ingest/ingestion.py: {}": (
        "test_a_paused_ingestion_shows_on_the_run_screen_how_it_goes_on",
    ),
    "pipeline/photos/decoder.py: pcc doctor": (
        "test_a_decoder_that_does_not_start_is_told_by_the_doctor",
    ),
    "pipeline/reports/label_import.py: pcc labels export": (
        "test_commands_about_clusters_print_whole_commands",
    ),
    "pipeline/reports/photo_texts.py: pcc run --retry-status {} --retry-only": (
        "test_commands_about_clusters_print_whole_commands",
    ),
}
"""The tests that collect and run each command; `{}` is what the program fills in."""


def printed_commands() -> Iterator[str]:
    """Yield each command that the source can print, behind the file that it stands in."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name == "commands.py" and path.parent.name in ("words", "cli"):
                continue  # one makes the commands of others whole, one holds the lines of help
            for command in commands_in(ast.parse(path.read_bytes())):
                yield f"{path.relative_to(ROOT)}: {command}"


def commands_in(tree: ast.Module) -> Iterator[str]:
    """Yield the commands of a module; what is filled in stands as `{}`."""
    unsaid = {id(node) for node in nodes_that_print_nothing(tree)}
    for node in ast.walk(tree):
        if id(node) in unsaid:
            continue
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield from re.findall(r"`(pcc(?: [^`]+)?|\{\})`", text_of(node))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in MAKERS:
            yield " ".join(["pcc", *map(text_of, node.args)])


def nodes_that_print_nothing(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield docstrings, help (which tells of commands, and not what to do now), and parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg == "help":
            yield from ast.walk(node)
        elif isinstance(node, ast.JoinedStr):
            yield from node.values


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    return "{}"


def test_every_command_that_can_be_printed_is_collected() -> None:
    assert {*printed_commands()} - MADE_ELSEWHERE == COLLECTED_BY.keys()


def test_the_tests_that_collect_are_there() -> None:
    tests = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name for names in COLLECTED_BY.values() for name in names} <= tests
