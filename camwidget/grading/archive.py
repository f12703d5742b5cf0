"""What lies in a folder or a zip, copied file by file with a bound on everything. No name in it becomes a path."""

import errno
import hashlib
import itertools
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from camwidget.errors import CourseError, three_parts

LARGEST_FILE = 100 << 20
"""Bytes of one file that are read."""
LARGEST_ZIP = 8 << 30
"""Bytes of all files of a zip, unpacked."""
LARGEST_INNER_ZIP = 256 << 20
"""The same for a zip that a learner handed in."""
MOST_FILES = 50_000

_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", "__pycache__"}
_APPLE_DOUBLE = "._"
"""Begins the names of files in which macOS keeps what other file systems cannot."""
_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)
"""What the ways of packing raise; a RuntimeError also where there is a password, or a way that is not known."""
_READABLE = "Submissions are files and folders that you may read"


class FullError(CourseError):
    """The copies cannot be written: no fault of what was handed in."""


class _CutOffError(Exception):
    """A file cannot be read to its end; the message is why."""


@dataclass(frozen=True)
class Entry:
    """One file that was handed in."""

    parts: tuple[str, ...]
    """Its path in the folder or zip, from there on. Anything may stand in it."""
    copy: Path | None = None
    """Where its copy is; None if there is a problem."""
    digest: str = ""
    """SHA-256 of what it holds."""
    problem: str = ""
    """Why it was not read, as a sentence without its full stop."""
    changed: str = ""
    """When it was last changed, in ISO 8601; empty where that is not known."""

    @property
    def name(self) -> str:
        """Its name without folders."""
        return self.parts[-1]

    def read(self) -> bytes:
        """What it holds; nothing if there is a problem."""
        return self.copy.read_bytes() if self.copy else b""


class Shelf:
    """Copies files into a folder, under numbers.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = (folder / f"{number:06d}" for number in itertools.count())

    def entries_of(self, source: Path) -> Iterator[Entry]:
        """Yield every file of a folder or a zip, or one file alone; those that cannot be read with the reason.

        Raises:
            CourseError: there is no such folder or file, or it cannot be opened.
        """
        if source.exists() and not os.access(source, os.R_OK):
            given = f"{str(source)!r} cannot be opened: {os.strerror(errno.EACCES)}"
            raise CourseError(three_parts(given, _READABLE, "Change who may read it, or copy what is in it"))
        if source.is_dir():
            yield from self._in_folder(source)
        elif source.is_file() and zipfile.is_zipfile(source):
            yield from self.in_zip(source, str(source), most=LARGEST_ZIP)
        elif source.is_file() and source.suffix == ".ipynb":
            yield self._file(source, (source.name,))
        else:
            given = f"There is no folder and no zip {str(source)!r}"
            if source.exists():
                given = f"{str(source)!r} is neither a folder nor a whole zip"
            allowed = "Submissions are a folder, a zip of Moodle, Canvas, Blackboard or Brightspace, or one notebook"
            raise CourseError(three_parts(given, allowed, "Download the submissions again, or name their folder"))

    def in_zip(self, path: Path, name: str, *, most: int) -> Iterator[Entry]:
        """Yield every file of a zip. Each is unpacked as far as the bounds allow, whatever size the zip claims.

        Args:
            path: the zip.
            name: what to call it in an error.
            most: bytes of all its files, unpacked.

        Raises:
            CourseError: it is no zip, or only a part of one.
        """
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            given = f"The zip {name!r} cannot be opened: {error}"
            raise CourseError(three_parts(given, "A zip has to be whole", "Download or make it again")) from error
        with archive:
            members = archive.infolist()
            left = most
            for member in members[:MOST_FILES]:
                parts = tuple(part for part in member.filename.replace("\\", "/").split("/") if part not in ("", "."))
                if member.is_dir() or not parts or any(map(_is_litter, parts)):
                    continue
                entry = self._member(archive, member, parts, left)
                left -= entry.copy.stat().st_size if entry.copy else 0
                yield entry
        if len(members) > MOST_FILES:
            yield Entry((name,), problem=f"there are more than {MOST_FILES} files; the others were not read")

    def _in_folder(self, root: Path) -> Iterator[Entry]:
        count = 0
        closed: list[OSError] = []
        for place, folders, files in os.walk(root, onerror=closed.append):  # does not follow links to folders
            linked = [name for name in folders if (Path(place) / name).is_symlink()]
            folders[:] = sorted(name for name in folders if not _is_litter(name) and name not in linked)
            if not folders and all(map(_is_litter, [*files, *linked])) and Path(place) != root:
                yield Entry(Path(place).relative_to(root).parts, problem="the folder is empty")
            for name in sorted([*files, *linked]):
                count += 1
                path = Path(place) / name
                if not _is_litter(name) and count <= MOST_FILES:
                    yield self._file(path, path.relative_to(root).parts)
        for error in closed:
            parts = Path(error.filename).relative_to(root).parts or (root.name,)
            yield Entry(parts, problem=f"the folder cannot be opened: {error.strerror}")
        if count > MOST_FILES:
            yield Entry((root.name,), problem=f"there are more than {MOST_FILES} files; the others were not read")

    def _file(self, path: Path, parts: tuple[str, ...]) -> Entry:
        try:
            # Not a link, and without waiting for the other end of a pipe.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            why = "it is a link, not a file" if path.is_symlink() else f"it cannot be opened: {error.strerror}"
            return Entry(parts, problem=why)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                return Entry(parts, problem="it is no ordinary file")
            changed = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
            try:
                return self._keep(file.read, parts, changed)
            except _CutOffError as error:
                return Entry(parts, problem=f"it cannot be read: {error}", changed=changed)

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, parts: tuple[str, ...], left: int) -> Entry:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if ".." in parts or path.is_absolute() or parts[0][1:2] == ":":
            kept = tuple(part for part in parts if part != "..") or ("a file",)
            return Entry(kept, problem="its path leads out of the zip")
        if stat.S_ISLNK(member.external_attr >> 16):
            return Entry(parts, problem="it is a link, not a file")
        try:
            with archive.open(member) as packed:
                return self._keep(packed.read, parts, _changed(member), left=left)
        except FullError:
            raise
        except (*_DAMAGED, _CutOffError) as error:
            return Entry(parts, problem=f"it cannot be unpacked: {str(error) or type(error).__name__}")

    def _keep(
        self, read: Callable[[int], bytes], parts: tuple[str, ...], changed: str, *, left: int = LARGEST_FILE
    ) -> Entry:
        """Copy a file, up to the bounds."""
        copy, digest, size = next(self._paths), hashlib.sha256(), 0
        try:
            with copy.open("wb") as target:
                while size <= min(LARGEST_FILE, left) and (chunk := _next(read)):
                    size += len(chunk)
                    digest.update(chunk)
                    target.write(chunk)
        except OSError as error:
            given = f"What was handed in cannot be copied to {str(copy.parent)!r}: {error.strerror or error}"
            allowed = "While a class is graded, its files lie in the folder for temporary files"
            advice = "Make room there, or set TMPDIR to a folder with more"
            raise FullError(three_parts(given, allowed, advice)) from error
        if size <= min(LARGEST_FILE, left):
            return Entry(parts, copy, digest.hexdigest(), changed=changed)
        copy.unlink()
        why = f"it is larger than {LARGEST_FILE >> 20} MB" if left >= LARGEST_FILE else "the zip holds too much in all"
        return Entry(parts, problem=why, changed=changed)


def _next(read: Callable[[int], bytes]) -> bytes:
    """The next part of a file; what goes wrong is told apart from what goes wrong in writing."""
    try:
        return read(_CHUNK)
    except OSError as error:
        raise _CutOffError(error.strerror or str(error)) from error


def _is_litter(name: str) -> bool:
    return name in _LITTER or name.startswith(_APPLE_DOUBLE)


def _changed(member: zipfile.ZipInfo) -> str:
    try:
        return datetime(*member.date_time).isoformat()  # a zip does not say in which time zone
    except ValueError:
        return ""
