"""From activations and gradients to maps, for pictures and texts alike.

Read `formulas` first (every method, tensors in, tensors out), then `methods`, `readout` and `result`.
"""
