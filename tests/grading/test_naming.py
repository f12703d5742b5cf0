"""Whose is a file, by its path."""

import pytest

from camwidget.course.items import ASSIGNMENTS
from camwidget.grading.naming import Owner, around_all, owner_of

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
