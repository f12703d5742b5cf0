"""The assignment `grad_cam`: Grad-CAM, inside the network too.

Read `items` first; its judges are in `judges` and `hooks`, its options in `quizzes`.
"""
