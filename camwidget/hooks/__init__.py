"""Listen to a network, and leave it as it was found.

Read `hook` first (the chapter's own classes), then `capture`, `layout` and `selection`; `restore` puts everything back.
"""
