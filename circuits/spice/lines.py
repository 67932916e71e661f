"""Logical lines of a netlist: title, continuations joined, comments gone, included files in place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple, NoReturn

from physlearn.files import read_text

DEEPEST = 20  # files that include each other
LARGEST = 10**6  # lines


class Line(NamedTuple):
    """A logical line, in lower case, and where it begins."""

    text: str
    place: str

    def refuse(self, why) -> NoReturn:
        """A ValueError that names the line."""
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        raise ValueError(f"{self.place}: {why}; the line is {shown!r}")


class Reading:
    """Files read so far, and notes on what was passed over."""

    def __init__(self, path: Path):
        self.folder, self.notes, self.title, self.total = path.resolve().parent, [], "", 0

    def lines(self, path: Path, depth=0):
        """Logical lines of a file; the first one of the outermost is its title."""
        if depth > DEEPEST:
            raise ValueError(f"{path.name}: files include each other more than {DEEPEST} deep")
        physical = read_text(path).split("\n")
        start = 0
        if depth == 0:
            self.title, start = physical[0].strip(), 1
        return self._joined(physical, start, path, depth)

    def _joined(self, physical, start, path, depth):
        found: list[Line] = []
        control, ended = 0, False
        for number, raw in enumerate(physical[start:], start + 1):
            place = f"{path.name}, line {number}"
            self.total += 1
            if self.total > LARGEST:
                raise ValueError(f"{place}: more than {LARGEST} lines")
            text = without_comment(raw).strip()
            word = text.split(None, 1)[0].lower() if text else ""
            if control:
                if word == ".endc":
                    control = 0
                continue
            if word == ".control":
                self.notes.append(f"{place}: a .control block, which is passed over")
                control = number
                continue
            if not text:
                continue
            if ended:
                raise ValueError(f"{place}: {text[:40]!r} stands after .end; ngspice would read it, others would not")
            if text[0] == "+":
                if not found:
                    raise ValueError(f"{place}: a continuation ('+') of nothing")
                found[-1] = Line(found[-1].text + " " + text[1:].strip().lower(), found[-1].place)
            elif word in (".include", ".inc"):
                found += self._included(text, place, path, depth)
            elif word == ".end":
                ended = True
            else:
                found.append(Line(text.lower(), place))
        if control:
            raise ValueError(f"{path.name}, line {control}: .control without .endc")
        return found

    def _included(self, text, place, path, depth):
        """Lines of an included file, which must lie in the netlist's folder or below it."""
        name = text.split(None, 1)[1].strip() if len(text.split(None, 1)) > 1 else ""
        name = name.strip("\"'")
        if not name:
            raise ValueError(f"{place}: .include names no file")
        if "\0" in name:
            raise ValueError(f"{place}: .include {name!r} is no path")
        other = (path.resolve().parent / name).resolve()
        if not other.is_relative_to(self.folder):
            raise ValueError(f"{place}: .include {name!r} leads out of the netlist's folder; copy the file into it")
        try:
            return self.lines(other, depth + 1)
        except OSError as error:
            raise ValueError(f"{place}: .include {name!r} cannot be read ({error.strerror})") from None


def without_comment(text):
    """A physical line without its comment: a leading *, ';', ' $', '//'.

    >>> without_comment("R1 a b 1k ; load"), without_comment("* all of it")
    ('R1 a b 1k ', '')
    """
    if text.lstrip()[:1] in ("*", "$"):
        return ""
    cut = re.search(r";|\s\$|//", text)
    return text[: cut.start()] if cut else text
