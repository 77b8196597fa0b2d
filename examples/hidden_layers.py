"""What the activation of its hidden layers does to a small network: relu, tanh, sigmoid and gelu, compared.

Run the cells one by one in an editor or a notebook, or all of them: `python examples/hidden_layers.py -o FOLDER`.
"""

# %%
import argparse
from pathlib import Path

from matplotlib.figure import Figure

import fastact

parser = argparse.ArgumentParser(description="Compares the activations of hidden layers in training.")
parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path, default="figures", help="default %(default)s")
folder = parser.parse_known_args()[0].folder


def save(figure: Figure, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name, dpi=150)
    print(f"wrote {folder / name}")


# %% [markdown]
# Two layers of 32 units learn to tell two half moons apart. Every activation starts from the same weights and meets the
# same points in the same order; three seeds, because one run proves little.

# %%
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu")
comparison = fastact.compare("moons", ACTIVATIONS, seeds=3, epochs=30)
print(comparison.summary.round(3).to_string())

# %% [markdown]
# The histories are pandas DataFrames, one for each activation. The sigmoid lags behind: each of its layers passes back
# a quarter of the gradient at most (see four_classics.py).

# %%
for name, history in comparison.histories.items():
    last = history[history["epoch"] == history["epoch"].max()]
    print(f"{name:8} test loss in the end: {last['test_loss'].mean():.3f}")

# %% [markdown]
# How the loss falls, and where each network draws the line between the moons: the sigmoid's is still straight.

# %%
for name, figure in comparison.figures().items():
    save(figure, f"hidden_layers_{name}.png")
