"""The compiled kernels: one extension module for each CPU target, all made of the same source."""
