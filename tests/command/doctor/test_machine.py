"""Little memory, a full disk, a cache that cannot be written to, other systems: each as numbers."""

from pathlib import Path

import pytest

from camwidget.command.doctor.finding import NOTE, OK, homeless
from camwidget.command.doctor.machine import (
    GIB,
    about_cache,
    about_disk,
    about_memory,
    about_programs,
    about_system,
    container_limit,
    findings,
)


def test_memory_for_one_panel_is_enough_and_less_is_a_note() -> None:
    assert about_memory(2 * GIB, None).state == OK
    assert about_memory(GIB // 2, None).state == NOTE


def test_a_containers_limit_counts_where_the_host_has_more() -> None:
    found = about_memory(64 * GIB, GIB)

    assert found.state == NOTE
    assert "64.0 GiB free, 1.0 GiB is this container's limit" in found.found


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory.max", "1073741824\n", GIB),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "2147483648\n", 2 * GIB),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
    ],
)
def test_both_forms_of_control_groups_are_read(tmp_path: Path, name: str, text: str, limit: int | None) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)

    assert container_limit(tmp_path) == limit


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert container_limit(tmp_path / "none") is None


def test_a_full_disk_is_a_note() -> None:
    assert about_disk(Path("/opt"), GIB // 2).state == NOTE
    assert about_disk(Path("/opt"), 8 * GIB).state == OK


def test_a_cache_that_cannot_be_written_to_is_a_note_with_another_way() -> None:
    found = about_cache(Path("/opt/cache"), writable=False, size=None)

    assert found.state == NOTE
    assert "CAMWIDGET_DATA" in found.advice
    assert about_cache(Path("/opt/cache"), writable=True, size=3 * 2**20).found.endswith("cache: 3.0 MiB")


@pytest.mark.parametrize("system", ["Windows", "Darwin", "FreeBSD"])
def test_what_differs_on_other_systems_is_told(system: str) -> None:
    found = about_system(system, "a version")

    assert found.state == NOTE
    assert "tested on Linux" in found.advice


def test_programs_are_found_by_any_of_their_names_and_none_of_them_has_to_be_there() -> None:
    paths = {"google-chrome": "/usr/bin/google-chrome"}
    found = {each.name: each for each in about_programs(paths.get)}

    assert found["Chromium"].found.startswith("/usr/bin/google-chrome")
    assert found["node"].found.startswith("not found")
    assert {each.state for each in found.values()} == {OK}


def test_the_home_folder_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert homeless(f"{tmp_path}/env and {tmp_path}") == "~/env and ~"


def test_here_there_is_a_system_memory_a_disk_and_a_cache(tmp_path: Path) -> None:
    names = [each.name for each in findings(tmp_path / "not" / "there")]

    assert names[:4] == ["system", "memory", "disk", "cache"]
