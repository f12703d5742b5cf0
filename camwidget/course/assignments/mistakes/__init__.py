"""The assignment `mistakes`: which pictures a network gets wrong, and why.

Read `items` first, then its judges: `losses`, `sure` and `turns` put `rows` in order, then `maps`, `hiding`, `counting`; its
options are in `quizzes`.
"""
