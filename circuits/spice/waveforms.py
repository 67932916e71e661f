"""Independent sources: DC values and waveforms, as ngspice reads them."""

from __future__ import annotations

import warnings

from circuits.elements.waveforms import Points, Pulse, Sine
from circuits.spice.lines import Line

NAMES = ("pulse", "sin", "pwl")
OTHERS = ("exp", "sffm", "am", "trnoise", "trrandom", "external")


def value_of_source(line: Line, scope, found, stop):
    """(value, dc) of an independent source from its tokens behind the nodes; ``stop`` as in .tran, for defaults."""
    dc, wave, at = None, None, 0
    while at < len(found):
        token = found[at]
        word = "" if token.braced else token.text
        if word == "dc":
            at += 1
            if at < len(found) and found[at].text == "=":
                at += 1
            if at >= len(found) or found[at].text in ("ac", *NAMES):
                dc = 0.0 if dc is None else dc  # ngspice takes a lone DC for zero
                continue
            dc = scope.number(line, found[at], "DC value")
            at += 1
        elif word == "ac":  # magnitude and phase do not act at rest nor in time
            at += 1
            for _ in range(2):
                if at < len(found) and _is_number(found[at]):
                    at += 1
        elif word in NAMES:
            if wave is not None:
                line.refuse("two waveforms")
            at += 1
            numbers = []
            while at < len(found) and _is_number(found[at]):
                numbers.append(scope.number(line, found[at], f"{word}: number {len(numbers) + 1}"))
                at += 1
            wave = _wave(line, word, numbers, stop)
        elif word in OTHERS:
            line.refuse(f"the waveform {word.upper()} is not modelled; those that are: PULSE, SIN, PWL")
        elif at == 0:
            dc = scope.number(line, token, "value")
            at += 1
        else:
            line.refuse(f"{token.text!r} is left over")
    if wave is None:
        return (0.0 if dc is None else dc), None
    if dc is not None and dc != float(wave(0.0)):
        warnings.warn(
            f"{line.place}: DC {dc:g} and {float(wave(0.0)):g} at t = 0 differ; the operating point takes DC",
            UserWarning,
            stacklevel=2,
        )
    return wave, dc


def _is_number(token):
    return token.braced or token.text[:1].isdigit() or token.text[:1] in "+-."


def _wave(line: Line, word, numbers, stop):
    """A waveform from its numbers, with SPICE's defaults; ``stop`` is (step, end) of .tran or None."""
    step, end = stop or (None, None)
    try:
        if word == "pulse":
            if not 2 <= len(numbers) <= 7:
                line.refuse(f"PULSE has {len(numbers)} numbers, expected 2 to 7")
            low, high, delay, rise, fall, width, period = [*numbers, *[0.0] * (7 - len(numbers))]
            missing = [name for name, value in (("rise", rise), ("fall", fall)) if not value]
            if (missing or not width) and step is None and low != high:
                # SPICE's defaults are the step and the end of .tran, of which nothing is known here
                rise, fall, width = rise or 1e-9, fall or 1e-9, width or 1e300
            return Pulse(
                low, high, delay, rise or step or 1e-9, fall or step or 1e-9, width or end or 1e300, period or None
            )
        if word == "sin":
            if not 2 <= len(numbers) <= 6:
                line.refuse(f"SIN has {len(numbers)} numbers, expected 2 to 6")
            offset, amplitude, frequency, delay, damping, phase = [*numbers, *[0.0] * (6 - len(numbers))]
            frequency = frequency or (1.0 / end if end else 0.0)
            if not frequency:
                line.refuse("SIN without a frequency, whose default is 1 / the end of a .tran, and there is no .tran")
            return Sine(offset, amplitude, frequency, delay, damping, phase)
        if len(numbers) < 2 or len(numbers) % 2:
            line.refuse(f"PWL has {len(numbers)} numbers, expected pairs of time and value")
        return Points(tuple(numbers[::2]), tuple(numbers[1::2]))
    except ValueError as error:
        if line.place in str(error):
            raise
        line.refuse(f"{word.upper()}: {error}")
