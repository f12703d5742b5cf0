"""Whatever a class hands in becomes one submission per learner and assignment, or a sentence that says why not."""

import errno
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from camwidget.errors import CourseError
from camwidget.grading import archive
from camwidget.grading.intake import NOTHING, Handed, submission_of, take_in
from camwidget.grading.limits import Limits
from camwidget.grading.roster import Member
from tests.grading.handed_in import exercise, folder_of, tiny, zip_of

KEEPDIM, HOOKS = tiny("keepdim.wild"), tiny("hooks.q5", "hooks.q10", "keepdim.wild")


def taken(source: Path, tmp_path: Path, **how: object) -> dict[tuple[str, str], Handed]:
    return {(each.learner, each.assignment): each for each in take_in(source, tmp_path / "into", **how)}  # type: ignore[arg-type]


def content(handed: Handed) -> bytes:
    assert handed.folder is not None, handed.problem
    return (handed.folder / f"{handed.assignment}.ipynb").read_bytes()


def problems(source: Path, tmp_path: Path) -> dict[str, str]:
    return {learner: each.problem for (learner, _), each in taken(source, tmp_path).items()}


# Layouts


def test_a_folder_around_all_a_zip_in_a_zip_and_a_browsers_ending_change_nothing(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"keepdim.ipynb": KEEPDIM}).read_bytes()
    outer = zip_of(tmp_path / "outer.zip", {"work.zip": inner}).read_bytes()
    files = {"all/ada/keepdim.ipynb.txt": KEEPDIM, "all/ben/outer.zip": outer, "all/cem/keepdim.ipynb": KEEPDIM}

    found = taken(zip_of(tmp_path / "all.zip", files), tmp_path)

    assert {learner: content(each) for (learner, _), each in found.items()} == dict.fromkeys(
        ("ada", "ben", "cem"), KEEPDIM
    )
    assert found["ada", "keepdim"].notes == ("The notebook was handed in as 'keepdim.ipynb.txt'.",)


def test_a_notebook_is_called_what_its_learner_called_it(tmp_path: Path) -> None:
    files = {
        "lovelaceada_1_2_keepdim.ipynb": KEEPDIM,
        "lovelaceada_1_3_tries.ipynb": HOOKS.replace(b"hooks", b"keepdim"),
    }

    (found,) = taken(zip_of(tmp_path / "canvas.zip", files), tmp_path).values()

    assert content(found) == KEEPDIM
    assert found.notes == ("Not taken, because of its name: 'tries.ipynb'.",)


def test_nbgraders_layout_is_read_with_its_time_stamps(tmp_path: Path) -> None:
    files = {
        "ada/keepdim/keepdim.ipynb": KEEPDIM,
        "ada/keepdim/timestamp.txt": b"2026-01-02 10:00:00 UTC\n",
        "ada/hooks/hooks.ipynb": HOOKS,
        "ben/keepdim/keepdim.ipynb": KEEPDIM,
    }

    found = taken(folder_of(tmp_path / "submitted", files), tmp_path)

    assert list(found) == [("ada", "hooks"), ("ada", "keepdim"), ("ben", "keepdim")]
    assert found["ada", "keepdim"].handed_in == "2026-01-02T10:00:00+00:00"
    assert content(found["ada", "hooks"]) == HOOKS
    assert {each.problem for each in found.values()} == {""}
    assert {each.notes for each in found.values()} == {()}


def test_a_flat_folder_names_the_learner_and_perhaps_the_assignment(tmp_path: Path) -> None:
    files = {
        "ada.ipynb": KEEPDIM,
        "ben_keepdim.ipynb": KEEPDIM,
        "grad_cam-cem.ipynb": tiny("grad_cam.q12b"),
        "dora.ipynb": HOOKS,
    }

    found = taken(folder_of(tmp_path / "flat", files), tmp_path)

    assert set(found) == {("ada", "keepdim"), ("ben", "keepdim"), ("cem", "grad_cam"), ("dora", "hooks")}


def test_a_folder_for_each_learner_or_for_each_assignment_is_read_too(tmp_path: Path) -> None:
    files = {"ada/my work.ipynb": HOOKS, "keepdim/ben.ipynb": KEEPDIM, "keepdim/cem/keepdim.ipynb": KEEPDIM}

    found = taken(folder_of(tmp_path / "folder", files), tmp_path)

    assert set(found) == {("ada", "hooks"), ("ben", "keepdim"), ("cem", "keepdim")}
    assert found["ada", "hooks"].notes == ("The notebook was handed in as 'my work.ipynb'.",)


def test_a_zip_of_moodle_is_read_with_and_without_folders(tmp_path: Path) -> None:
    files = {
        "Ada Lovelace_1234567_assignsubmission_file_/keepdim.ipynb": KEEPDIM,
        "Ben B_33_assignsubmission_file_keepdim.ipynb": KEEPDIM,
        "Participant_44_assignsubmission_file/hooks.ipynb": HOOKS,
        "Ben B_33_assignsubmission_onlinetext_onlinetext.html": b"<p>hello</p>",
    }

    found = taken(zip_of(tmp_path / "moodle.zip", files), tmp_path)

    assert {key: each.number for key, each in found.items()} == {
        ("Ada Lovelace", "keepdim"): "1234567", ("Ben B", "keepdim"): "33", ("Participant", "hooks"): "44",
    }  # fmt: skip


def test_a_zip_of_canvas_is_read_with_who_was_late(tmp_path: Path) -> None:
    files = {"lovelaceada_12345_67890_keepdim-1.ipynb": KEEPDIM, "bben_LATE_22_333_hooks.ipynb": HOOKS}

    found = taken(zip_of(tmp_path / "canvas.zip", files), tmp_path)

    assert {key: (each.number, each.late) for key, each in found.items()} == {
        ("lovelaceada", "keepdim"): ("12345", False), ("bben", "hooks"): ("22", True),
    }  # fmt: skip


def test_a_zip_of_brightspace_is_read_and_of_several_attempts_the_latest_counts(tmp_path: Path) -> None:
    files = {
        "index.html": b"<table>",
        "12-9 - Ada L - Oct 9, 2026 234 PM/keepdim.ipynb": exercise(wild="picture_width = 1"),
        "12-9 - Ada L - Oct 10, 2026 1005 AM/my second try.ipynb": KEEPDIM,
        "7-9 - Ada L - Oct 8, 2026 1159 PM/keepdim.ipynb": KEEPDIM,
        "8-9 - Ben B - Oct 8, 2026 100 PM/essay.pdf": b"%PDF",
    }

    found = taken(zip_of(tmp_path / "download.zip", files), tmp_path)

    assert {key: (each.number, each.handed_in, bool(each.problem)) for key, each in found.items()} == {
        ("Ada L (12)", "keepdim"): ("12", "2026-10-10T10:05:00", False),
        ("Ada L (7)", "keepdim"): ("7", "2026-10-08T23:59:00", False),
        ("Ben B", ""): ("8", "", True),
    }
    assert found["Ada L (12)", "keepdim"].notes == (
        "Of several attempts the latest was taken, of 2026-10-10T10:05:00.",
        "The notebook was handed in as 'my second try.ipynb'.",
    )


def test_a_zip_of_blackboard_is_read_and_its_own_notes_are_nobodys_work(tmp_path: Path) -> None:
    begins = "gradebook_C1_Week20three"
    files = {
        f"{begins}_ada_attempt_2026-10-09-14-34-00_keepdim.ipynb": exercise(wild="picture_width = 1"),
        f"{begins}_ada_attempt_2026-10-09-14-34-00.txt": b"Name: Ada",
        f"{begins}_ada_attempt_2026-10-09-15-00-00_keepdim.ipynb": KEEPDIM,
        f"{begins}_b_smith_attempt_2026-10-08-10-00-00_my_work.ipynb": KEEPDIM,
        f"{begins}_c_smith_attempt_2026-10-08-10-00-00.txt": b"Name: C",
    }

    found = taken(zip_of(tmp_path / "download.zip", files), tmp_path)

    assert {key: (each.handed_in, each.problem) for key, each in found.items()} == {
        ("ada", "keepdim"): ("2026-10-09T15:00:00", ""),
        ("b_smith", "keepdim"): ("2026-10-08T10:00:00", ""),
        ("c_smith", ""): ("", f"there is no notebook, only {begins}_c_smith_attempt_2026-10-08-10-00-00.txt"),
    }
    folder = found["ada", "keepdim"].folder
    assert folder is not None
    assert [path.name for path in folder.iterdir()] == ["keepdim.ipynb"]


def test_a_roster_gives_names_and_shows_who_handed_in_nothing(tmp_path: Path) -> None:
    roster = (Member("al1", "Ada Lovelace", number="12345"), Member("bb2", "Ben B"), Member("cc3", "Cem C"))
    files = {"lovelaceada_12345_1_keepdim.ipynb": KEEPDIM, "benb_7_2_keepdim.ipynb": KEEPDIM, "x_8_3_k.ipynb": KEEPDIM}

    found = taken(zip_of(tmp_path / "canvas.zip", files), tmp_path, roster=roster)

    assert {learner: each.problem for (learner, _), each in found.items()} == {
        "al1": "", "bb2": "", "cc3": NOTHING, "x": "",
    }  # fmt: skip
    assert found["x", "keepdim"].notes[-1] == "Nobody on the roster has this name."


def test_a_zip_that_a_learner_handed_in_is_unpacked(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "x.zip", {"work/keepdim.ipynb": KEEPDIM}).read_bytes()
    files = {"Ada_1_assignsubmission_file_/all.zip": inner, "Ben_2_assignsubmission_file_/all.zip": inner[:-30]}

    found = taken(zip_of(tmp_path / "moodle.zip", files), tmp_path)

    assert found["Ada", "keepdim"].problem == ""
    assert "cannot be opened" in found["Ben", ""].problem


def test_plain_files_beside_a_notebook_go_along_and_others_do_not(tmp_path: Path) -> None:
    files = {"ada/keepdim/keepdim.ipynb": KEEPDIM, "ada/keepdim/helper.py": b"x = 1", "ada/keepdim/<b>.py": b"",
             "ada/keepdim/.hidden": b"", "ada/hooks/hooks.ipynb": HOOKS}  # fmt: skip

    folder = taken(folder_of(tmp_path / "x", files), tmp_path)["ada", "keepdim"].folder

    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == ["helper.py", "keepdim.ipynb"]


def test_the_grader_gets_the_notebook_or_the_reason(tmp_path: Path) -> None:
    files = {"ada/keepdim/keepdim.ipynb": KEEPDIM, "ada/keepdim/helper.py": b"x = 1", "ben/keepdim/x.ipynb": b""}
    found = taken(folder_of(tmp_path / "x", files), tmp_path)

    ada, ben = (submission_of(found[learner, "keepdim"], Limits()) for learner in ("ada", "ben"))

    assert (ada.learner, ada.assignment, ada.notebook, list(ada.files), ada.problem) == (
        "ada", "keepdim", KEEPDIM, ["helper.py"], "",
    )  # fmt: skip
    assert (ben.notebook, ben.problem) == (b"", "It could not be graded: 'x.ipynb': the file is empty")


# Which notebook, whose


def test_of_several_notebooks_the_latest_is_taken_and_the_teacher_told(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "x", {"ada/v1.ipynb": KEEPDIM, "ada/v2.ipynb": tiny("keepdim.wild", "keepdim.error")})
    os.utime(root / "ada" / "v1.ipynb", (1, 1))

    found = taken(root, tmp_path)["ada", "keepdim"]

    assert content(found) == (root / "ada" / "v2.ipynb").read_bytes()
    assert "Of several notebooks the latest was taken, not 'v1.ipynb'." in found.notes


def test_where_none_is_the_latest_nothing_is_guessed(tmp_path: Path) -> None:
    files = {"Ada_1_assignsubmission_file_/a.ipynb": KEEPDIM, "Ada_1_assignsubmission_file_/b.ipynb": KEEPDIM + b" "}

    found = problems(zip_of(tmp_path / "x.zip", files), tmp_path)

    assert found == {"Ada": "several notebooks were handed in, and none is the latest: 'a.ipynb', 'b.ipynb'"}


def test_two_learners_of_one_name_stay_apart_by_their_numbers(tmp_path: Path) -> None:
    files = {f"Ada_{number}_assignsubmission_file_/keepdim.ipynb": KEEPDIM for number in (1, 2)}

    assert problems(zip_of(tmp_path / "x.zip", files), tmp_path) == {"Ada (1)": "", "Ada (2)": ""}


def test_what_was_handed_in_is_known_by_its_digest(tmp_path: Path) -> None:
    first = taken(folder_of(tmp_path / "a", {"ada.ipynb": KEEPDIM}), tmp_path / "1")["ada", "keepdim"]
    again = taken(folder_of(tmp_path / "b", {"ada.ipynb": KEEPDIM}), tmp_path / "2")["ada", "keepdim"]
    other = taken(folder_of(tmp_path / "c", {"ada.ipynb": KEEPDIM + b" "}), tmp_path / "3")["ada", "keepdim"]

    assert first.digest == again.digest != other.digest


# What is broken or hostile is a row with a reason

BROKEN = {
    "empty": (b"", "the file is empty"),
    "truncated": (exercise()[:5000], "no notebook, or only a part of one"),
    "binary": (b"\x80\x81\x82", "no notebook"),
    "number": (b"3", "no nbformat"),
    "deep": (b"[" * 200_000, "no notebook"),
    "future": (tiny("keepdim.wild", version=9), "the format 9"),
    "text": (json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": "x"}).encode(), "no list"),
    "cells": (json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}).encode(), "no cell"),
    "old": (json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": 7}).encode(), "cannot be converted"),
    "bare": (json.dumps({"nbformat": 4, "nbformat_minor": 5}).encode(), "no list"),
    "true": (json.dumps({"nbformat": True}).encode(), "no nbformat"),
    "endless": (b'{"nbformat": 1e400}', "no nbformat"),
}


def test_every_broken_notebook_is_a_submission_with_the_reason(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "x", {f"{name}_keepdim.ipynb": content for name, (content, _) in BROKEN.items()})

    found = problems(root, tmp_path)

    assert set(found) == set(BROKEN)
    assert {name: found[name] for name, (_, reason) in BROKEN.items() if reason not in found[name]} == {}
    assert all(found.values())


def test_links_pipes_and_huge_files_are_named_and_nothing_behind_them_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST_FILE", 1000)
    root = folder_of(tmp_path / "x", {"huge_keepdim.ipynb": KEEPDIM + b" " * 1000, "secret/y.ipynb": KEEPDIM})
    (root / "link_keepdim.ipynb").symlink_to(root / "secret" / "y.ipynb")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe_keepdim.ipynb")

    assert problems(root, tmp_path) == {
        "huge": "'huge_keepdim.ipynb': it is larger than 0 MB",
        "link": "'link_keepdim.ipynb': it is a link, not a file",
        "folder": "'folder': it is a link, not a file",
        "pipe": "'pipe_keepdim.ipynb': it is no ordinary file",
        "secret": "",
    }


def test_a_folder_that_nobody_may_open_is_named_and_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder_of(tmp_path / "x", {"ada/keepdim/keepdim.ipynb": KEEPDIM, "ben/keepdim/keepdim.ipynb": KEEPDIM})
    look = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == "ben":  # whoever tests as root may open anything
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)

    assert problems(root, tmp_path) == {
        "ada": "",
        "ben": "'ben': the folder cannot be opened: Permission denied",
    }


def test_a_source_that_nobody_may_open_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder_of(tmp_path / "x", {"ada_keepdim.ipynb": KEEPDIM})
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(CourseError, match=r"x' cannot be opened: Permission denied.*Change who may read it"):
        take_in(root, tmp_path / "into")


def test_a_file_that_breaks_off_costs_only_itself_and_a_full_disk_is_nobodys_fault(tmp_path: Path) -> None:
    def breaks_off(_: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(archive._CutOffError, match="Input/output error"):
        archive.Shelf(tmp_path / "one")._keep(breaks_off, ("x.ipynb",), "")

    root = folder_of(tmp_path / "x", {"ada_keepdim.ipynb": KEEPDIM})
    (tmp_path / "into" / "files").mkdir(parents=True)
    (tmp_path / "into" / "files" / "000000").symlink_to("/dev/full")
    for source in (root, zip_of(tmp_path / "x.zip", {"ada_keepdim.ipynb": KEEPDIM})):
        with pytest.raises(CourseError, match=r"cannot be copied to .*: No space left.*TMPDIR"):
            take_in(source, tmp_path / "into")


def test_a_zip_writes_nowhere_else_and_no_more_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_FILE", 100_000)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../../slip_keepdim.ipynb", KEEPDIM)
        made.writestr("/root_keepdim.ipynb", KEEPDIM)
        made.writestr("C:\\drive\\keepdim.ipynb", KEEPDIM)
        made.writestr("bomb_keepdim.ipynb", b" " * 50_000_000)
        link = zipfile.ZipInfo("link_keepdim.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("good_keepdim.ipynb", KEEPDIM)
    before = {each.name for each in tmp_path.iterdir()}

    found = problems(path, tmp_path)

    assert found.pop("good") == ""
    assert {name: reason.partition(": ")[2] for name, reason in found.items()} == {
        "slip": "its path leads out of the zip",
        "root": "its path leads out of the zip",
        "C:": "its path leads out of the zip",
        "bomb": "it is larger than 0 MB",
        "link": "it is a link, not a file",
    }
    assert {each.name for each in tmp_path.iterdir()} - before == {"into"}


def test_a_damaged_or_locked_member_costs_only_itself(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"ada_keepdim.ipynb": exercise(), "ben_keepdim.ipynb": KEEPDIM})
    content = bytearray(path.read_bytes())
    content[200:220] = bytes(20)  # in the middle of the first one's data
    path.write_bytes(content)

    found = problems(path, tmp_path)

    assert "it cannot be unpacked" in found["ada"]
    assert found["ben"] == ""


def test_a_name_may_hold_anything_and_never_becomes_a_path(tmp_path: Path) -> None:
    names = ["<img src=x onerror=alert(1)>", "-rf", "a\nb", "ü" * 300, "..ada", "con"]
    files = {f"{name}_1{place}_assignsubmission_file_/keepdim.ipynb": KEEPDIM for place, name in enumerate(names)}

    found = taken(zip_of(tmp_path / "x.zip", files), tmp_path)

    assert {learner for learner, _ in found} == {
        "<img src=x onerror=alert(1)>", "-rf", "a?b", "ü" * 199 + "…", "..ada", "con",
    }  # fmt: skip
    kept = [each.folder.relative_to(tmp_path / "into") for each in found.values() if each.folder]
    assert len(kept) == len(names)
    assert all(path.parts[0].isdigit() and path.parts[1:] == ("keepdim",) for path in kept)


def test_a_learner_without_a_notebook_is_not_forgotten(tmp_path: Path) -> None:
    empty = tmp_path / "y" / "cem" / "keepdim"
    empty.mkdir(parents=True)
    assert taken(tmp_path / "y", tmp_path)["cem", "keepdim"].problem == "'keepdim': the folder is empty"

    files = {"Ada_1_assignsubmission_file_/answers.pdf": b"x", "Ben_2_assignsubmission_file_/k.ipynb": tiny("x.y")}

    found = problems(zip_of(tmp_path / "x.zip", files), tmp_path)

    assert found == {"Ada": "there is no notebook, only answers.pdf", "Ben": "'k.ipynb' checks no item of the course"}


def test_what_system_programs_leave_behind_is_passed_over(tmp_path: Path) -> None:
    files = {"ada/.ipynb_checkpoints/keepdim.ipynb": KEEPDIM, "ada/keepdim.ipynb": KEEPDIM, ".DS_Store": b"x"}
    files |= {"ada/._keepdim.ipynb": b"\0\5\26\7Mac OS X", "._ada": b"\0\5\26\7"}

    assert problems(folder_of(tmp_path / "x", files), tmp_path) == {"ada": ""}


@pytest.mark.parametrize("made", ["missing", "empty folder", "half a zip", "a text"])
def test_a_source_without_submissions_is_refused_with_what_to_try(tmp_path: Path, made: str) -> None:
    source = tmp_path / "source"
    if made == "empty folder":
        source.mkdir()
    elif made == "half a zip":
        content = zip_of(tmp_path / "x.zip", {"a.ipynb": KEEPDIM}).read_bytes()
        source.write_bytes(content[: len(content) // 2])
    elif made == "a text":
        source.write_text("x")

    with pytest.raises(CourseError, match=r"Name the folder or zip|Download the submissions again"):
        take_in(source, tmp_path / "into")


def test_a_notebook_of_another_assignment_is_a_problem_and_no_zero(tmp_path: Path) -> None:
    given = {
        "ann/keepdim/keepdim.ipynb": tiny("hooks.q5", "hooks.q10"),
        "bob/keepdim/keepdim.ipynb": tiny("keepdim.wild"),
    }
    ann, bob = take_in(folder_of(tmp_path / "in", given), tmp_path / "out")

    assert ann.problem == "'keepdim.ipynb' is a notebook of 'hooks': it checks no item of 'keepdim'"
    assert (ann.assignment, bob.problem) == ("keepdim", "")
