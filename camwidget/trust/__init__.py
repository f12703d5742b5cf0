"""May one believe a map? Experiments that can show that one may not.

Read `perturb` first (a model on changed pictures), then `sanity`, `faithfulness` and
`localisation`; `figures` draws them.
"""
