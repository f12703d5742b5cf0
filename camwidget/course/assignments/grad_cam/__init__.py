"""The assignment `grad_cam`: Grad-CAM, inside the network too."""
