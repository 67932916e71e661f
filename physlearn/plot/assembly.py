"""Pictures of assemblies: the lattice, its growth, phases, capacity.

A structure has the same colour in every picture, by its number; empty sites are white, loose molecules grey.
"""

from __future__ import annotations

import itertools

import numpy as np

from physlearn.checks import array, number, positive, seen, sequence
from physlearn.files import path_of, refuse_link
from physlearn.plot._axes import axes_or_new, caption, coordinates, labels_of, legend_beside, line_of

LOOSE = (0.72, 0.72, 0.72)
PHASES = ("retrieved", "chimera", "liquid", "dispersed")
LINES = [(colour, style) for colour in ("black", "0.45") for style in ("-", "--", ":", "-.")]
PHASE_COLOURS = ((0.16, 0.55, 0.35), (0.85, 0.37, 0.15), (0.30, 0.45, 0.75), (0.93, 0.93, 0.93))


def plot_assembly(labels, names=None, *, ax=None):
    """A square lattice, every site in the colour of its structure.

    Parameters
    ----------
    labels : (rows, columns) array of int
        Such as `site_labels` gives: -2 empty, -1 loose, 0.. the structure.
    names : sequence of str, optional
        Names of the structures; a legend lists those that occur.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = plot_assembly([[0, 0, -2], [1, -1, -2]], ["A", "B"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['A', 'B', 'loose']
    """
    from matplotlib.patches import Patch

    picture = _coloured(labels)
    ax = axes_or_new(ax, (3.6 * picture.shape[1] / picture.shape[0], 3.6))
    ax.imshow(picture, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    present = [int(k) for k in np.unique(labels) if k >= 0]
    if names is not None:
        names = sequence("names", names, (str, int), "a name for each structure")
        if present and present[-1] >= len(names):
            raise ValueError(f"names: got {len(names)}, expected one for each structure in labels, up to {present[-1]}")
        keys = [Patch(color=_colour(k), label=str(names[k])) for k in present]
        if np.any(np.asarray(labels) == -1):
            keys.append(Patch(color=LOOSE, label="loose"))
        ax.legend(handles=keys, frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def animate_assembly(labels, path, titles=None, *, fps=10):
    """A GIF of a lattice in time.

    Parameters
    ----------
    labels : (frames, rows, columns) array of int
        As for `plot_assembly`.
    path : str or path
        File to write, ending in .gif.
    titles : sequence of str, optional
        One per frame.
    fps : float
        Frames per second.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = animate_assembly([[[0, -2]], [[0, 0]]], Path(folder) / "growth.gif")
    ...     file.read_bytes()[:3]
    b'GIF'
    """
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter

    frames = [_coloured(frame) for frame in sequence("labels", labels, expected="(frames, rows, columns) integers")]
    if not frames:
        raise ValueError("labels: got no frames, expected (frames, rows, columns)")
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError("labels: got frames of different shapes, expected (frames, rows, columns)")
    titles = None if titles is None else labels_of("titles", titles, len(frames), "frame")
    path = refuse_link(path_of("path", path))
    if not str(path).endswith(".gif"):
        raise ValueError(f"path: got {str(path)!r}, expected a name that ends in .gif")
    fps = positive("fps", fps)
    figure, ax = plt.subplots(figsize=(3.6 * frames[0].shape[1] / frames[0].shape[0], 3.9), layout="constrained")
    image = ax.imshow(frames[0], interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    title = ax.set_title("" if titles is None else titles[0], fontsize="small")

    def draw(k):
        image.set_data(frames[k])
        if titles is not None:
            title.set_text(titles[k])
        return image, title

    FuncAnimation(figure, draw, frames=len(frames)).save(path, writer=PillowWriter(fps=fps), dpi=80)  # pyright: ignore[reportArgumentType]
    plt.close(figure)
    return path


def plot_assembly_phases(bond_energies, potentials, shares, *, boundaries=(), ax=None):
    """Phases of a mixture over bond energy and chemical potential; colours mix by shares of runs.

    Parameters
    ----------
    bond_energies : (k,) array
        Rising.
    potentials : (l,) array
        Rising.
    shares : (l, k, 4) array
        Shares of runs that ended "retrieved", "chimera", "liquid", "dispersed"; they sum to 1.
    boundaries : sequence of (bond_energies, potentials, label)
        Lines for comparison.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> line = [2.0, 3.0], [4.0, 6.0], "melts"
    >>> ax = plot_assembly_phases([2.0, 3.0], [4.0], [[[0, 0, 0, 1], [1, 0, 0, 0]]], boundaries=[line])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['retrieved', 'chimera', 'liquid', 'dispersed', 'melts']
    """
    from matplotlib.patches import Patch

    x, y = coordinates("bond_energies", bond_energies), coordinates("potentials", potentials)
    shares = array("shares", shares)
    if shares.shape != (len(y), len(x), len(PHASES)):
        raise ValueError(
            f"shares: shape {shares.shape}, expected {(len(y), len(x), len(PHASES))} for these potentials and "
            f"bond_energies, in order {PHASES}"
        )
    if np.any(shares < 0) or not np.allclose(shares.sum(-1), 1.0):
        raise ValueError("shares: expected numbers that are not negative and sum to 1 over the last axis")
    lines = []
    for boundary in sequence("boundaries", boundaries, expected="lines (bond_energies, potentials, label)"):
        if not isinstance(boundary, tuple | list) or len(boundary) != 3:
            raise ValueError(f"boundaries: got {seen(boundary)}, expected (bond_energies, potentials, label)")
        lines.append((*line_of("boundaries", boundary[:2]), caption("boundaries", boundary[2])))
    ax = axes_or_new(ax, (4.7, 3.6))
    ax.pcolormesh(x, y, shares @ np.array(PHASE_COLOURS), shading="nearest")
    limits = ax.get_xlim(), ax.get_ylim()
    for (across, up, label), (colour, style) in zip(lines, itertools.cycle(LINES), strict=False):
        ax.plot(across, up, color=colour, linewidth=1.5, linestyle=style, label=label)
    keys = [Patch(facecolor=c, edgecolor="0.6", label=n) for n, c in zip(PHASES, PHASE_COLOURS, strict=True)]
    ax.set(xlabel=r"bond energy, $\varepsilon$ ($T$)", ylabel=r"cost of a molecule, $\mu$ ($T$)")
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.legend(
        handles=keys + ax.get_lines(), fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0)
    )
    return ax


def plot_retrieval(counts, rate=None, error=None, *, label=None, capacity=None, ax=None):
    """Share of seeds that grow into their structure against the number of structures stored.

    Call it again with the same ``ax`` to compare; labelled curves make a legend.

    Parameters
    ----------
    counts : (k,) array of int
        Structures stored; or a RetrievalCurve, which brings its mean and error.
    rate : (k,) array
    error : (k,) array, optional
        Standard errors.
    label : str, optional
    capacity : float, optional
        Where theory expects the end of retrieval: a dotted line in the curve's colour.
    ax : matplotlib.axes.Axes, optional
        Default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> plot_retrieval([1, 2, 4], [1.0, 1.0, 0.2], [0.0, 0.0, 0.1], capacity=3.0).get_xlabel()
    'structures stored'
    """
    if hasattr(counts, "counts"):
        counts, rate, error = counts.counts, counts.mean, counts.error if error is None else error
    elif rate is None:
        raise TypeError("rate: missing, expected one number for each of counts; a RetrievalCurve brings its own")
    counts, rate = array("counts", counts), array("rate", rate)
    error = np.zeros(rate.shape) if error is None else array("error", error, low=0.0)
    if counts.ndim != 1 or not counts.size or rate.shape != counts.shape or error.shape != counts.shape:
        raise ValueError(
            f"rate, error: shapes {rate.shape}, {error.shape}; expected {counts.shape}, one for each of counts"
        )
    label = caption("label", label)
    capacity = None if capacity is None else number("capacity", capacity)
    ax = axes_or_new(ax, (5.0, 3.6))
    line = ax.errorbar(counts, rate, error, marker="o", markersize=4, capsize=2, label=label)[0]
    if capacity is not None:
        ax.axvline(capacity, color=line.get_color(), linestyle=":", linewidth=1.2)
    ax.set(xlabel="structures stored", ylabel="seeds that grow into their structure", ylim=(-0.03, 1.05))
    ax.spines[["top", "right"]].set_visible(False)
    if label is not None:
        legend_beside(ax)
    return ax


def _colour(structure):
    """The colour of a structure: eighteen colours, repeated."""
    import matplotlib

    order = [k for k in (*range(0, 20, 2), *range(1, 20, 2)) if k not in (14, 15)]  # 14 and 15 are grey
    return matplotlib.colormaps["tab20"](order[structure % len(order)])[:3]


def _coloured(labels):
    """Labels (rows, columns) as colours (rows, columns, 3)."""
    array("labels", labels)
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "iu" or labels.min() < -2:
        raise ValueError(
            f"labels: {labels.dtype} array of shape {labels.shape}, expected (rows, columns) integers: -2 empty, "
            "-1 loose, from 0 the structure; of a cubic lattice pass one layer"
        )
    present, place = np.unique(labels, return_inverse=True)
    known = {-2: (1.0, 1.0, 1.0), -1: LOOSE}
    table = np.array([known[k] if k < 0 else _colour(k) for k in present.tolist()])
    return table[place.reshape(labels.shape)]
