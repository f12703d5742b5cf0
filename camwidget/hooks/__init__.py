"""Listening to a network, and leaving it as it was found.

Read `hook` first (the chapter's own classes), then `capture`, `layout` and `selection`; `restore` puts everything back.
"""
