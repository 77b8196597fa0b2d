"""The proof: every float32 through every activation of one operand and its derivative, on every CPU target.

    python -m tests.proof             everything, in an hour on two processors; goes on where it was stopped
    python -m tests.proof --sample    what a change must pass, in minutes

`truth.c` knows the true values, `judge.c` compares, `float32.py` walks; `halves.py`, `float64.py`, `parameters.py`,
`fallbacks.py` and `peers.py` are the other chapters, `tasks.py` shares them among processes, and `page.py` makes
ACCURACY.md. What an error in ULP is, `tests/oracle.py` says.
"""
