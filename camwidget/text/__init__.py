"""Words: which of them decide what a classifier says about a text.

Read `tokens` and `reader` first (from a string to what a network is given), then `capture`, `explain` and `result`.
"""
