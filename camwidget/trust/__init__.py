"""Can you believe a map? Experiments that can show that you cannot.

Read `perturb` first (a model on changed pictures), then `sanity`, `faithfulness` and
`localisation`; `figures` draws them.
"""
