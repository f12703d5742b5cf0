"""The gallery: saved panels with a lesson around each, and a page that lists them. They ask nobody for anything.

    python -m docs.gallery OUT

Open OUT/index.html from the disk, or publish the folder as it is.
"""

import argparse
import base64
import hashlib
import io
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image, ImageOps

import camwidget as cw
from camwidget.panel.colours import overlay
from camwidget.panel.still import shared_scale
from docs.lessons import LESSONS, Lesson

STYLE = """
.lesson, .lessons { font: 16px/1.55 system-ui, sans-serif; color: #1b1f24; max-width: 76ch; margin: 0 auto 20px; }
main + .lesson { margin-top: 28px; }
.lesson h1, .lessons h1 { font-size: 26px; line-height: 1.25; margin: 6px 0 10px; }
.lesson p, .lessons p { margin: 0 0 10px; }
.lesson a, .lessons a { color: #0a4fb8; }
.lesson nav { display: flex; flex-wrap: wrap; gap: 4px 18px; }
.lesson .about { color: #5f6b7a; font-size: 14px; }
.lesson .question { font-weight: 600; font-size: 18px; }
.lesson summary { cursor: pointer; color: #0a4fb8; width: fit-content; }
.lesson details p { margin-top: 8px; padding-left: 12px; border-left: 3px solid #d9dee4; }
.lesson :focus-visible, .lessons :focus-visible { outline: 2px solid #0a4fb8; outline-offset: 3px; border-radius: 3px; }
.lessons ol { list-style: none; padding: 0; display: grid; gap: 22px 26px;
  grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
.lessons { max-width: 1000px; padding: 20px 16px; }
.lessons img, .lessons q { display: grid; box-sizing: border-box; width: 100%; aspect-ratio: 4 / 3; margin-bottom: 8px;
  border-radius: 8px; object-fit: cover; background: #eef1f4; color: #1b1f24; }
.lessons q { place-items: center; padding: 0 12%; font-size: 22px; text-align: center; quotes: none; }
.lessons li a { font-weight: 600; text-decoration: none; display: block; }
.lessons li a:hover { text-decoration: underline; }
@media (prefers-color-scheme: dark) {
  .lesson, .lessons { color: #e8ebef; }
  .lesson a, .lessons a, .lesson summary { color: #9cc4ff; }
  .lesson .about { color: #a5afba; }
  .lessons q { background: #232a31; color: #e8ebef; }
  .lesson details p { border-left-color: #39414a; }
  .lesson :focus-visible, .lessons :focus-visible { outline-color: #9cc4ff; }
}
"""
LIST_STYLE = (
    ":root { color-scheme: light dark } body { margin: 0; background: #fff }"
    "@media (prefers-color-scheme: dark) { body { background: #14181c } }" + STYLE
)

LIST = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src '{style_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>camwidget: what does the network look at?</title>
<style>{style}</style>
</head>
<body>
<main class="lessons">
<h1>What does the network look at?</h1>
<p>Lessons of two minutes, with one question each. Every page slides here, in the browser, without an installation: the
maps of a real network, computed with camwidget and saved. Guess before you slide.</p>
<ol>
{entries}
</ol>
<p>The same with your own pictures, texts and networks, and a course with exercises:
<code>camwidget</code>, a teaching kit for Jupyter.</p>
</main>
</body>
</html>
"""


def main() -> None:
    """Write all pages into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="folder; made if it is not there, pages of the same names are replaced")
    for path in write_gallery(parser.parse_args().out):
        print(path)


def write_gallery(out: Path, lessons: Sequence[Lesson] | None = None) -> list[Path]:
    """Write the pages of the gallery and return their paths.

    Args:
        out: the folder.
        lessons: what to show; all by default.
    """
    out.mkdir(parents=True, exist_ok=True)
    shown = [make() for make in LESSONS] if lessons is None else list(lessons)
    written = []
    for number, lesson in enumerate(shown):
        page = out / f"{lesson.slug}.html"
        page.write_text(lesson_html(lesson, number=number, lessons=shown), encoding="utf-8", newline="\n")
        written.append(page)
    index = out / "index.html"
    index.write_text(list_html(shown), encoding="utf-8", newline="\n")
    return [index, *written]


def lesson_html(lesson: Lesson, *, number: int, lessons: Sequence[Lesson]) -> str:
    """Return a saved panel with its lesson above and its question below.

    Args:
        lesson: what the page shows.
        number: its place in the row, from 0.
        lessons: all of them, for the links.
    """
    page = lesson.panel.as_html(title=lesson.title)
    # The page runs and styles only what its rules name by a hash; the lesson brings one more style, and no script.
    page = _once(page, r"style-src ('[^']+')", rf"style-src \1 '{hash_of(STYLE)}'")
    page = _once(page, r"</head>", f"<style>{STYLE}</style>\n</head>".replace("\\", r"\\"))
    page = _once(page, r'<h1 class="camw-quiet">.*?</h1>\n', "")
    text = "".join(f"<p>{escape(each)}</p>\n" for each in lesson.paragraphs)
    above = (
        f'<header class="lesson">\n<nav><a href="index.html">All lessons</a></nav>\n<h1>{escape(lesson.title)}</h1>\n'
        f'<p class="about">Lesson {number + 1} of {len(lessons)}, two minutes</p>\n{text}</header>\n'
    )
    following = lessons[(number + 1) % len(lessons)]
    below = (
        f'\n<footer class="lesson">\n<p class="question">{escape(lesson.question)}</p>\n'
        f"<details><summary>What the numbers say</summary><p>{escape(lesson.answer)}</p></details>\n"
        f'<nav><a href="{following.slug}.html">Next: {escape(following.title)}</a></nav>\n</footer>'
    )
    page = _once(page, r"<main ", f"{above}<main ".replace("\\", r"\\"))
    return _once(page, r"</main>", f"</main>{below}".replace("\\", r"\\"))


def list_html(lessons: Sequence[Lesson]) -> str:
    """Return the page that lists the lessons.

    Args:
        lessons: in their order.
    """
    entries = "\n".join(
        f'<li><a href="{each.slug}.html">{preview_html(each)}{escape(each.title)}</a>{escape(each.question)}</li>'
        for each in lessons
    )
    return LIST.format(style=LIST_STYLE, style_hash=hash_of(LIST_STYLE), entries=entries)


def preview_html(lesson: Lesson) -> str:
    """Return what one sees of a lesson in the list: its picture with the map that it opens with, or its text.

    Args:
        lesson: one of the list.
    """
    panel = lesson.panel
    if isinstance(panel, cw.TextCamPanel):
        return f"<q>{escape(panel.result.text)}</q>"
    picture = worst(panel.found) if isinstance(panel, cw.MistakesPanel) else opened_with(panel)
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=85)
    data = base64.b64encode(kept.getvalue()).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(lesson.alt)}">'


def opened_with(panel: cw.CamPanel) -> Image.Image:
    """Return a panel's picture with the map that it opens with; without one while a guess is waited for."""
    result = panel.results[panel.method]
    picture = result.image.resize((480, round(480 * result.image.height / result.image.width)))
    if panel.mode == "guess":
        return picture
    scale = shared_scale([result.cams[panel.layer]], signed=True)
    return overlay(picture, result.cam(panel.layer, panel.target_class), scale=scale, heatmap_opacity=0.7)


def worst(found: cw.Found) -> Image.Image:
    """Return nine pictures with the largest losses, three in a row, cut to squares."""
    side, sheet = 160, Image.new("RGB", (480, 480))
    for number, row in enumerate(found.table["loss"].nlargest(9).index):
        down, across = divmod(number, 3)
        sheet.paste(ImageOps.fit(found.picture(row), (side, side)), (side * across, side * down))
    return sheet


def hash_of(source: str) -> str:
    """Return the hash by which a page's rules name a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}"


def _once(text: str, pattern: str, replacement: str) -> str:
    """Replace the one place; a page that has none, or several, is not the one this was written for."""
    # The data of a panel lie in one long line, in which no pattern of ours is: "<" is escaped there.
    found = len(re.findall(pattern, text))
    if found != 1:
        raise ValueError(f"The saved page has {pattern!r} {found} times, not once: has the way it is saved changed?")
    return re.sub(pattern, replacement, text)


if __name__ == "__main__":
    main()
