"""Whose is a file, by its path."""

import pytest

from camwidget.course.items import ASSIGNMENTS
from camwidget.grading.naming import Owner, owner_of

PATHS = {
    "ada/keepdim/keepdim.ipynb": Owner("ada", assignment="keepdim", file="keepdim.ipynb"),
    "2027/submitted/ada/hooks/sub/x.py": Owner("ada", assignment="hooks", file="x.py"),
    "Ada L_12_assignsubmission_file_/sub/x.ipynb": Owner("Ada L", "12", file="x.ipynb"),
    "Ada_L_12_assignsubmission_file_my_work.ipynb": Owner("Ada_L", "12", file="my_work.ipynb"),
    "all/Ada_12_assignsubmission_file/x.ipynb": Owner("Ada", "12", file="x.ipynb"),
    "lovelaceada_12_345_keepdim.ipynb": Owner("lovelaceada", "12", file="keepdim.ipynb"),
    "lovelaceada_LATE_12_345_my_work-1.ipynb": Owner("lovelaceada", "12", late=True, file="my_work-1.ipynb"),
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
