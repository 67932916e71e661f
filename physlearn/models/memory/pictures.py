"""Pictures as patterns: letters and digits of a dot-matrix font, and grey pictures at a level."""

from __future__ import annotations

import numpy as np

from physlearn.checks import array, number, seen

# Columns of a 5 x 7 dot-matrix font, bit 0 on top.
_FONT = {
    "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C", "E": "7F49494941", "F": "7F09090901",
    "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01", "K": "7F08142241", "L": "7F40404040",
    "M": "7F020C027F", "N": "7F0408107F", "O": "3E4141413E", "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946",
    "S": "4649494931", "T": "01017F0101", "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463",
    "Y": "0708700807", "Z": "6151494543", "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31",
    "4": "1814127F10", "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936", "9": "064949291E",
}  # fmt: skip


def letters(text="ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
    """Letters and digits as 7 x 5 pictures of -1 (paper) and +1 (ink), (characters, 7, 5).

    Parameters
    ----------
    text : str
        Characters A to Z and 0 to 9.

    Examples
    --------
    >>> for row in letters("A")[0]:
    ...     print("".join(".#"[int(pixel > 0)] for pixel in row))
    .###.
    #...#
    #...#
    #...#
    #####
    #...#
    #...#
    """
    if not isinstance(text, str):
        raise TypeError(f"text: got {seen(text)}, expected characters of A to Z and 0 to 9 (a str)")
    unknown = sorted(set(text.upper()) - set(_FONT))
    if unknown or not text:
        raise ValueError(f"text: got {text!r}, expected characters of A to Z and 0 to 9")
    columns = np.array([list(bytes.fromhex(_FONT[c])) for c in text.upper()])
    bits = (columns[:, None, :] >> np.arange(7)[:, None]) & 1
    return 2.0 * bits - 1.0


def digits():
    """The ten digits as 7 x 5 pictures, (10, 7, 5).

    Examples
    --------
    >>> digits().shape
    (10, 7, 5)
    """
    return letters("0123456789")


def from_images(images, *, level=None):
    """Grey pictures as patterns, (m, pixels): +1 where brighter than a level, -1 elsewhere.

    Parameters
    ----------
    images : (m, rows, columns) or (rows, columns) array
        Grey levels, in any unit.
    level : float, optional
        Default each picture's own, midway between its darkest and its brightest pixel.

    Raises
    ------
    ValueError
        NaN, another shape, or a picture that is all of one grey and has no level.

    Examples
    --------
    >>> from_images([[0, 9], [5, 4]])
    array([[-1.,  1.,  1., -1.]])
    """
    images = array("images", images, finite=False)
    images = images[None] if images.ndim == 2 else images
    if images.ndim != 3 or images.size == 0 or not np.all(np.isfinite(images)):
        raise ValueError(f"images: shape {images.shape}, expected finite (m, rows, columns) or (rows, columns)")
    flat = images.reshape(len(images), -1)
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    level = None if level is None else number("level", level)
    if level is None and np.any(low == high):
        k = int(np.flatnonzero(low == high)[0])
        raise ValueError(f"images: picture {k} is all of one grey, {low[k, 0]:g}; leave it out or state a level")
    return np.where(flat > (0.5 * (low + high) if level is None else level), 1.0, -1.0)
