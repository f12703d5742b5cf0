"""A whole data set: which pictures does a network get wrong, where did it look, and which data is missing?

Read `find` first, then `found`, which it returns; `loaders` and `source` say where pictures come from, `groups` and
`hide` what a lot of maps have in common.
"""
