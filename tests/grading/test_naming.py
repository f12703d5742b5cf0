"""Whose is a file, by its path."""

import pytest

from camwidget.course.items import ASSIGNMENTS
from camwidget.grading.naming import Owner, around_all, owner_of, shortened

PATHS = {
    "ada/keepdim/keepdim.ipynb": Owner("ada", assignment="keepdim", file="keepdim.ipynb"),
    "2027/submitted/ada/hooks/sub/x.py": Owner("ada", assignment="hooks", file="x.py"),
    "Ada L_12_assignsubmission_file_/sub/x.ipynb": Owner("Ada L", "12", file="x.ipynb"),
    "Ada_L_12_assignsubmission_file_my_work.ipynb": Owner("Ada_L", "12", file="my_work.ipynb"),
    "all/Ada_12_assignsubmission_file/x.ipynb": Owner("Ada", "12", file="x.ipynb"),
    "lovelaceada_12_345_keepdim.ipynb": Owner("lovelaceada", "12", file="keepdim.ipynb"),
    "lovelaceada_LATE_12_345_my_work-1.ipynb": Owner("lovelaceada", "12", late=True, file="my_work-1.ipynb"),
    "anon_LATE_x7Kp2_345_keepdim.ipynb": Owner("anon", "x7Kp2", late=True, file="keepdim.ipynb"),
    "lovelaceada_LATE_12_text.html": Owner("lovelaceada", "12", late=True, file="text.html"),
    "12-345 - Ada L - Oct 10, 2026 234 PM/x.ipynb": Owner(
        "Ada L", "12", file="x.ipynb", handed_in="2026-10-10T14:34:00"
    ),
    "all/12-345 - Anne - Marie O'B - Jun 4, 2026 12:05 AM/sub/x.ipynb": Owner(
        "Anne - Marie O'B", "12", file="x.ipynb", handed_in="2026-06-04T00:05:00"
    ),
    "12-345 - Ada-Eva L- June 24, 2026 1159 AM - my - x.ipynb": Owner(
        "Ada-Eva L", "12", file="my - x.ipynb", handed_in="2026-06-24T11:59:00"
    ),
    "12-345 - Ada L - Oct 40, 2026 1334 PM/x.ipynb": Owner("Ada L", "12", file="x.ipynb"),
    "12-345 - Ada L - 10 okt 2026/x.ipynb": Owner("Ada L", "12", file="x.ipynb"),
    "12-345 - Ada L - 10 okt. 2026 14:34/x.ipynb": Owner(
        "Ada L", "12", file="x.ipynb", handed_in="2026-10-10T14:34:00"
    ),
    "12-345 - Ada - Eva L - 31 janv. 2027 23 h 59 - a - b.ipynb": Owner(
        "Ada - Eva L", "12", file="a - b.ipynb", handed_in="2027-01-31T23:59:00"
    ),
    "12-345 - Ada L - 4 de junio de 2026 12:05 a. m./x.ipynb": Owner(
        "Ada L", "12", file="x.ipynb", handed_in="2026-06-04T00:05:00"
    ),
    "12-345 - Ada L - 4. Dezember 2026 0905/x.ipynb": Owner(
        "Ada L", "12", file="x.ipynb", handed_in="2026-12-04T09:05:00"
    ),
    "12-345 - Ada L - 4 kukkakuu 2026 09:05/x.ipynb": Owner("Ada L", "12", file="x.ipynb"),
    "12-345 - Ada L - notes/x.ipynb": Owner("12-345 - Ada L - notes", file="x.ipynb"),
    "all/C1_Week_3_a_da_attempt_2026-01-30-15-00-09_my_x.ipynb": Owner(
        "C1_Week_3_a_da", file="my_x.ipynb", handed_in="2026-01-30T15:00:09", of_blackboard=True
    ),
    "C1_Week_3_ada_attempt_2026-01-30-15-00-09.txt": Owner(
        "C1_Week_3_ada",
        handed_in="2026-01-30T15:00:09",
        of_blackboard=True,
    ),
    "ada_keepdim.ipynb.txt": Owner("ada", assignment="keepdim", file="ada_keepdim.ipynb.txt"),
    "keepdim/ada.ipynb": Owner("ada", assignment="keepdim", file="ada.ipynb"),
    "keepdim/lovelaceada_12_345_x.ipynb": Owner("lovelaceada", "12", assignment="keepdim", file="x.ipynb"),
    "ada/x.ipynb": Owner("ada", file="x.ipynb"),
    "ada.ipynb": Owner("ada", file="ada.ipynb"),
    "ada_grad_cam.ipynb": Owner("ada", assignment="grad_cam", file="ada_grad_cam.ipynb"),
    "cam - ada.ipynb": Owner("ada", assignment="cam", file="cam - ada.ipynb"),
    "camilla.ipynb": Owner("camilla", file="camilla.ipynb"),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_tells_whose_a_file_is(path: str) -> None:
    assert owner_of(tuple(path.split("/")), ASSIGNMENTS) == PATHS[path]


AROUND = {
    ("all/ada/x.ipynb", "all/ben/x.ipynb"): 1,
    ("all/2027/ada/x.ipynb", "all/2027/ben/sub/x.ipynb"): 2,
    ("all/ada_cam.ipynb", "all/ben_cam.ipynb"): 1,
    ("all/Ada_1_assignsubmission_file/x.ipynb", "all/Ben_2_assignsubmission_file/x.ipynb"): 1,
    ("ada/x.ipynb",): 0,
    ("ada/x.ipynb", "ben/x.ipynb"): 0,
    ("1-2 - Ada - Oct 1, 2026 234 PM/a/x.ipynb", "1-2 - Ada - Oct 1, 2026 234 PM/b/x.ipynb"): 0,
    ("ada/cam/cam.ipynb", "ada/hooks/hooks.ipynb"): 0,
    ("ada/cam_ada.ipynb", "ada/hooks_ada.ipynb"): 0,
    ("ada/x.ipynb", "ada/old/x.ipynb"): 0,
    ("cam/ada/x.ipynb", "cam/ben/x.ipynb"): 0,
    ("Ada_1_assignsubmission_file/a/x.ipynb", "Ada_1_assignsubmission_file/b/x.ipynb"): 0,
    (): 0,
}


@pytest.mark.parametrize("paths", AROUND)
def test_a_folder_around_a_whole_class_is_nobodys(paths: tuple[str, ...]) -> None:
    assert around_all([tuple(path.split("/")) for path in paths], ASSIGNMENTS) == AROUND[paths]


SHORTENED = {
    ("C1_Week_3_ada", "C1_Week_3_ben", "C1_Week_3_ada"): ["ada", "ben", "ada"],
    ("C1_Week_3_a_smith", "C1_Week_3_b_smith", "C1_Week_3_cem"): ["a_smith", "b_smith", "cem"],
    ("C1_Week_3_ada",): ["ada"],
    ("C1_keepdim_ada", "C1_grad_cam_ada", "C1_hooks_ben"): ["ada", "ada", "ben"],
    ("ada", "ben"): ["ada", "ben"],
    (): [],
}


@pytest.mark.parametrize("names", SHORTENED)
def test_what_blackboard_puts_before_every_name_is_taken_away_and_no_two_learners_get_one(
    names: tuple[str, ...],
) -> None:
    others = [Owner("C1_Week_3_x"), Owner("C2")]
    found = shortened([*(Owner(name, of_blackboard=True) for name in names), *others], ASSIGNMENTS)

    assert [owner.learner for owner in found] == [*SHORTENED[names], "C1_Week_3_x", "C2"]


def test_a_name_of_strokes_alone_is_nobodys_and_read_at_once() -> None:
    name = "1-2 - " + "- 2026 " * 9000

    assert owner_of((name, "x.ipynb"), ASSIGNMENTS).learner == name
