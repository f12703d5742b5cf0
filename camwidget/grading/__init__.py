"""Grade a whole class: what learners wrote runs in a sandbox, and is judged outside of it.

Read `records` first, what comes out; then `grade`, the way of one submission; then `judge`, `session`, `wire` and
`child`, the two sides of the line; then `runner` and `cluster`; `intake` is what comes before, `reports`, `gradebook`
and `stock` what comes after. Nothing is imported here, so the command starts without PyTorch.
"""
