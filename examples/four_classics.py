"""The four classics of neural networks, drawn: step, sigmoid, tanh and relu.

Run the cells one by one in an editor or a notebook, or all of them: `python examples/four_classics.py -o FOLDER`.
"""

# %%
import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import fastact

parser = argparse.ArgumentParser(description="Draws step, sigmoid, tanh and relu.")
parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path, default="figures", help="default %(default)s")
folder = parser.parse_known_args()[0].folder
plt.rc("font", size=12)


def save(figure: Figure, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name, dpi=150)
    print(f"wrote {folder / name}")


# %% [markdown]
# A neuron adds up its inputs and passes the sum through an activation. The first one, of 1943, is all or nothing; the
# others came when networks began to learn by gradients, for which a step has nothing to offer: its slope is 0.

# %%
CLASSICS = ("step", "sigmoid", "tanh", "relu")
for name in CLASSICS:
    record = fastact.activations[name]
    print(f"{name:8} {record.formula:45} {record.range!s:10} {record.source}")

# %% [markdown]
# Each takes an array and gives an array.

# %%
x = np.linspace(-4, 4, 802)
looks = (("#0072b2", "-"), ("#d55e00", "--"), ("#009e73", "-."), ("#cc79a7", ":"))

together, axes = plt.subplots(figsize=(5, 4), layout="constrained")
for name, (colour, dashes) in zip(CLASSICS, looks, strict=True):
    axes.plot(x, fastact.get(name)(x), color=colour, linestyle=dashes, linewidth=3, label=name)
axes.set(title="Four classics", xlabel="sum of the weighted inputs", ylabel="activation", ylim=(-1.2, 2.2))
axes.grid(color="#e4e4e4")
axes.legend(loc="upper left")
save(together, "four_classics.png")

# %% [markdown]
# What a layer passes back when it learns is multiplied by the derivative. The sigmoid's is 1/4 at most: ten layers of
# it leave a millionth of the gradient. tanh's reaches 1, but only at 0; relu's is 1 for everything positive.

# %%
for name in CLASSICS:
    steepest = getattr(fastact.derivative, name)(x).max()
    print(f"{name:8} passes at most {steepest:.3g} of the gradient, and {steepest**10:.1e} through ten layers")

slopes = fastact.plot(*CLASSICS)
save(slopes, "four_derivatives.png")
