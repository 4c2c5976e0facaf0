"""The what-if page on this machine: sliders, platforms side by side, answers while they move."""
