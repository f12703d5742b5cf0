"""README's pictures: a film of a saved panel in a real browser, slid along its layers and then its classes; and stills.

    python -m docs.animation [docs/images]

Needs a Chromium on the PATH. Every frame is what a reader sees who presses an arrow key; nothing is drawn in.
"""

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

import camwidget as cw
from docs.lessons import Panel, inner_layer, mistakes, pair, words
from tests.browser.lab import chromium_browser, find_chromium, new_page

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 860, 590
STILLS = {"inner-layer": inner_layer, "compared": pair, "words": words, "mistakes": mistakes}
"""Name of a picture to the lesson whose panel it shows."""
QUICK_MS, SLOW_MS = 420, 1500
"""How long a frame stays on the way, and at an end of it."""
MOST_BYTES = 1_000_000
MARGIN = 16
"""Pixels around a panel; the page itself leaves as much at its sides."""


def main() -> None:
    """Write the film and the stills, and say how large the film is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sliding.webp"
    with chromium_browser(find_chromium()) as browser:
        frames, times = filmed(browser)
        for name, make in STILLS.items():
            still(browser, make().panel, dark=name == "words").save(folder / f"{name}.webp", quality=80, method=6)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0, quality=72, method=6)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path} has {size} bytes, more than {MOST_BYTES}: take fewer frames.")
    print(f"{path}: {len(frames)} frames, {sum(times) / 1000:.1f} s, {size} bytes")


def filmed(browser: Browser) -> tuple[list[Image.Image], list[int]]:
    """Return the frames, and how long each stays in milliseconds."""
    panel = cw.CamPanel(
        cw.demo_learner("imagenet"),
        cw.demo_image("cat and coffee"),
        target_classes=["Egyptian cat", "tabby", "espresso", "cup", "soup bowl"],
    )
    panel.method, panel.layer = "grad_cam", "0.1"
    with tempfile.TemporaryDirectory() as folder:
        saved = panel.save_html(Path(folder) / "panel.html")
        page = new_page(browser, width=WIDTH, height=HEIGHT)
        page.goto(saved.as_uri())
        page.locator(".camw-view[data-painted]").wait_for()
        frames, times = [shot(page)], [SLOW_MS]
        for slider, key, presses in (("Layer", "ArrowRight", 7), ("Class", "ArrowDown", 4), ("Class", "ArrowUp", 4)):
            for left in reversed(range(presses)):
                page.get_by_role("slider", name=slider).press(key)
                frames.append(shot(page))
                times.append(QUICK_MS if left else SLOW_MS)
    return frames, times


def still(browser: Browser, panel: Panel, *, dark: bool) -> Image.Image:
    """Return what a saved panel shows when it is opened, on a light or a dark page."""
    with tempfile.TemporaryDirectory() as folder:
        page = new_page(browser, width=WIDTH, height=HEIGHT)
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.goto(panel.save_html(Path(folder) / "panel.html").as_uri())
        page.locator(".camw-view").wait_for()
        page.wait_for_timeout(500)  # words are coloured after the view stands
        # Of a line that is too long, what stands out is to be seen, not cut off.
        box = page.locator("main").bounding_box() or {"y": 0, "height": HEIGHT}
        clip = {"x": 0, "y": max(0, box["y"] - MARGIN), "width": WIDTH, "height": box["height"] + 2 * MARGIN}
        return Image.open(io.BytesIO(page.screenshot(clip=clip, full_page=True))).convert("RGB")


def shot(page: Page) -> Image.Image:
    """Return what the page shows now."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
