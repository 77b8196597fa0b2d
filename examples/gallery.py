"""The gallery of activations that PyTorch's documentation shows, drawn without PyTorch.

Run the cells one by one in an editor or a notebook, or all of them: `python examples/gallery.py -o FOLDER`.
"""

# %%
import argparse
from pathlib import Path

from matplotlib.figure import Figure

import fastact

parser = argparse.ArgumentParser(description="Draws the activations of PyTorch without PyTorch.")
parser.add_argument("-o", dest="folder", metavar="FOLDER", type=Path, default="figures", help="default %(default)s")
folder = parser.parse_known_args()[0].folder


def save(figure: Figure, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / name, dpi=150)
    print(f"wrote {folder / name}")


# %% [markdown]
# Each record knows what other libraries call the same function, and how theirs differs.

# %%
in_torch: dict[str, str] = {}
for record in fastact.activations.values():
    for other in record.elsewhere:
        if other.name.startswith("torch."):
            in_torch.setdefault(other.name, record.name)
            print(f"{record.name:20} {other}")

# %% [markdown]
# The documentation draws its curves from -7 to 7. Here are their derivatives as well.

# %%
gallery = fastact.plot(*in_torch.values(), limits=(-7, 7))
for axes, name in zip(gallery.axes, in_torch, strict=True):
    axes.set_title(name.rpartition(".")[2], fontweight="bold")
save(gallery, "torch_gallery.png")
