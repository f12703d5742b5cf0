"""What keeps people out of a page, found by axe."""

from playwright.sync_api import Page

from tests.node import axe_source


def barriers(page: Page, inside: str = "html") -> list[str]:
    """What axe finds, of any weight."""
    page.evaluate(axe_source())
    found = page.evaluate(
        "async (inside) => (await axe.run(inside, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',"
        " 'best-practice', 'experimental']})).violations",
        inside,
    )
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]
