"""Listen to a network, and leave it as it was found.

Read `hook` first (the chapter's own classes), then `capture`, `layout` and `selection`; `restore` puts everything
back, `turns` lets one thread at a time do so, `copies` makes a network to run beside the first.
"""
