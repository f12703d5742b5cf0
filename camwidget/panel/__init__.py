"""What is on the screen: Python here, JavaScript in `static`.

Read `base` first, then `picture` or `text`; `view` holds what the browser needs, `controls` where its choices stand.
"""
