# cython: language_level=3, freethreading_compatible=True
# Compiled for the oldest processor, so that it can be asked before a target's own module is loaded.

cdef extern from "cpu.h":
    int runs_x86_64_v2()
    int runs_x86_64_v3()
    int runs_x86_64_v4()


def supported_targets():
    """The CPU targets that this processor runs, the best one first."""
    x86_64 = [("x86_64_v4", runs_x86_64_v4()), ("x86_64_v3", runs_x86_64_v3()), ("x86_64_v2", runs_x86_64_v2())]
    return [target for target, runs in x86_64 if runs] + ["aarch64", "generic"]
