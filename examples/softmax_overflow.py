"""Activations written by hand in NumPy beside fastact's, and the scores at which a softmax by hand breaks.

Run the cells one by one in an editor or a notebook, or all of them: `python examples/softmax_overflow.py -o FOLDER`.
"""

# %%
import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import fastact

parser = argparse.ArgumentParser(description="Draws the scores at which a softmax written by hand breaks.")
parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path, default="figures", help="default %(default)s")
folder = parser.parse_known_args()[0].folder
plt.rc("font", size=12)


def save(figure: Figure, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name, dpi=150)
    print(f"wrote {folder / name}")


# %% [markdown]
# Four activations as their definitions read.


# %%
def step(x: Any) -> Any:
    return np.where(x >= 0, 1.0, 0.0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def softmax(x: Any) -> Any:
    return np.exp(x) / np.exp(x).sum()


# %% [markdown]
# For numbers of a usual size they are all right.

# %%
x = np.linspace(-5, 5, 11)
for by_hand in (step, sigmoid, relu, softmax):
    difference = np.abs(by_hand(x) - fastact.get(by_hand.__name__)(x)).max()
    print(f"{by_hand.__name__:8} differs from fastact's by {difference:.0e}")

# %% [markdown]
# Softmax only depends on the differences between scores: adding 1000 to all of them changes nothing. But exp(1000) is
# beyond the largest float64, infinity over infinity is NaN, and one NaN spoils a whole training run. The cure is to
# take the largest score off first, which is what fastact does inside of its single pass.

# %%
scores = np.array([2.0, -1.0, 0.5, 3.0, 1.0])
with np.errstate(over="ignore", invalid="ignore"):  # else NumPy warns, here of what is to be shown
    results = {"by hand": softmax(scores + 1000), "by fastact": fastact.softmax(scores + 1000)}
for way, result in results.items():
    print(f"softmax of scores + 1000 {way}: {np.array_str(result, precision=3)}")

BLUE, VERMILLION = "#0072b2", "#d55e00"
bars, panels = plt.subplots(1, 2, figsize=(5, 3.2), sharey=True, layout="constrained")
for axes, (way, result), colour in zip(panels, results.items(), (VERMILLION, BLUE), strict=True):
    axes.bar(np.arange(5), np.nan_to_num(result), color=colour)
    for place in np.flatnonzero(np.isnan(result)):
        axes.text(place, 0.3, "NaN", color=colour, fontweight="bold", rotation=90, ha="center")
    axes.set(title=way, xlabel="class", xticks=np.arange(5))
panels[0].set_ylabel("probability")
bars.suptitle("softmax(scores + 1000)", fontweight="bold")
save(bars, "softmax_overflow.png")

# %% [markdown]
# float32, which networks compute in, comes to an end much sooner: exp(89) is infinite already. First the sum is, and
# all probabilities are 0, then they are NaN.

# %%
shifts = np.arange(0, 120, 0.5, dtype=np.float32)
rows = scores.astype(np.float32) + shifts[:, np.newaxis]
with np.errstate(over="ignore", invalid="ignore"):
    largest_by_hand = np.array([softmax(row).max() for row in rows])
largest = fastact.softmax(rows).max(axis=-1)
right = np.abs(largest_by_hand - largest) < 1e-3
last = shifts[right][-1]
print(f"by hand, float32 lasts up to a shift of {last:g}")

cliff, axes = plt.subplots(figsize=(5, 3.6), layout="constrained")
axes.plot(shifts, largest, color=BLUE, linewidth=6, label="by fastact")
axes.plot(shifts[right], largest_by_hand[right], color=VERMILLION, linewidth=2.5, label="by hand")
axes.plot(last, largest_by_hand[shifts == last], "X", color=VERMILLION, markersize=13)
axes.annotate("0, then NaN", (last, 0.58), (last, 0.4), ha="center", arrowprops={"arrowstyle": "->"})
axes.set(title="softmax in float32", xlabel="added to all scores", ylabel="largest probability", ylim=(0, 1))
axes.grid(color="#e4e4e4")
axes.legend(loc="lower left")
save(cliff, "softmax_cliff.png")
