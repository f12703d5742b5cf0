"""How long the tests wait for others: kernels, servers, browsers, threads."""

HANGING_S = 600
"""Seconds after which a thing hangs. Nothing takes a tenth of it, also where five times as much goes on beside it."""

STUCK_S = 120
"""The same for one step of a page that is already there: none takes more than a few seconds of computing."""
