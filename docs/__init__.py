"""The project's pages: guides, notebooks, the public names, and the gallery.

Read `build` first: it makes all of it, and with `links` looks for links that lead nowhere. `lessons` says what the
gallery shows, `gallery` makes its pages, `animation` the short film at README's top. `conf` is read by Sphinx.
"""
