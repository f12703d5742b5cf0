"""Notebooks, folders and zips as they are handed in."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from tests.house.repository import ROOT


def exercise(assignment: str = "keepdim", **answers: str) -> bytes:
    """A released exercise with some answers written, by item: `wild='picture_width = 320'`."""
    notebook = nbformat.read(ROOT / "exercises" / assignment / f"{assignment}.ipynb", as_version=4)
    for cell in notebook.cells:
        for item, answer in answers.items():
            if cell.id == f"{assignment}-{item}-answer":
                cell.source = answer
    return nbformat.writes(notebook).encode()


def folder_of(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zip_of(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tiny(*checks: str, version: int = 4) -> bytes:
    """A notebook of a few bytes that checks these items."""
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": f'cw.check("{check}")'}
        for check in checks
    ]
    return json.dumps({"nbformat": version, "nbformat_minor": 0, "metadata": {}, "cells": cells}).encode()
