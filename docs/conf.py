"""The documentation site: `sphinx-build -W docs docs/_build`; examples run, and their pictures are the gallery's."""

import importlib
import os
import re
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

project = "physlearn"
author = copyright = "The physlearn developers"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
html_theme = "furo"
html_title = "physlearn"
html_static_path = []
templates_path = ["_templates"]
exclude_patterns = ["_build", "_examples", "_templates"]
suppress_warnings = ["config.cache", "myst.header", "ref.python"]  # numpydoc links an attribute by its bare name
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autosummary_generate = True
autodoc_typehints = "none"
default_role = "code"

# ---------------------------------------------------------------- reference: one page a public name, from the stubs
MODULES = {
    "physlearn": "energies, verbs, rules",
    "physlearn.terms": "terms of energies",
    "physlearn.maps": "maps of networks",
    "physlearn.models": "machines",
    "physlearn.learning": "learning",
    "physlearn.study": "studies",
    "physlearn.claims": "published numbers",
    "physlearn.analysis": "errors and scaling",
    "physlearn.io": "files",
    "physlearn.plot": "pictures",
    "physlearn.sklearn": "scikit-learn estimators",
    "physlearn.dimod": "dimod",
    "circuits": "circuits of resistors, diodes, transistors",
    "circuits.neurons": "neurons",
    "circuits.neurons.connect": "connections between populations",
}


def write_reference():
    """A page a module that lists its public names, which autosummary turns into a page each."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    shown = set()  # a name that two modules have is described once, where it stands highest
    for name, about in MODULES.items():
        module = importlib.import_module(name)
        public = getattr(module, "__all__", None) or [
            n for n, v in vars(module).items() if not n.startswith("_") and getattr(v, "__module__", None) == name
        ]
        listed = [n for n in sorted(public) if not n.startswith("_") and f"{name}.{n}" not in MODULES]
        found = {n: getattr(module, n) for n in listed}
        listed = [n for n, value in found.items() if not hasattr(value, "__path__") and id(value) not in shown]
        shown |= {id(found[n]) for n in listed}
        title = f"{name}: {about}"
        head = [title, "=" * len(title), "", f".. currentmodule:: {name}", "", ".. autosummary::", "   :toctree: of"]
        page = "\n".join([*head, "", *(f"   {n}" for n in listed), ""])
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text() != page:
            path.write_text(page)


write_reference()

# ---------------------------------------------------------------- gallery: the examples as they are, with a heading
EXAMPLES = HERE / "_examples"


def copy_examples():
    """Copies of the examples whose first line is a heading, as the gallery wants it."""
    shutil.rmtree(EXAMPLES, ignore_errors=True)
    shutil.copytree(ROOT / "examples", EXAMPLES, ignore=shutil.ignore_patterns("results", "*.md", "*.toml"))
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text()
        head, docstring, code = text.split('"""', 2)
        text = '"""'.join([head, docstring.replace("|", r"\|"), code])
        title, rest = re.match(r'"""(.+?)(?:"""|\n)(.*)', text, re.DOTALL).groups()
        closed = text.split("\n", 1)[0].count('"""') == 2
        short = title.rstrip(".")
        path.write_text(f'"""\n{short}\n{"=" * len(short)}\n{chr(34) * 3 if closed else ""}{rest}')
    EXAMPLES.joinpath("GALLERY_HEADER.rst").write_text(
        "Examples\n========\n\nOne runnable script a claim; study files (``*.toml``) are in the repository's folder.\n"
    )


copy_examples()
sphinx_gallery_conf = {
    "examples_dirs": str(EXAMPLES),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "plot_gallery": os.environ.get("DOCS_WITHOUT_PICTURES") is None,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "parallel": int(os.environ.get("DOCS_PROCESSES", "1")),
    "reset_modules": (),
}


# ---------------------------------------------------------------- docstrings are plain text with numpydoc's sections
def plain(app, what, name, obj, options, lines):
    """Bars and trailing underscores mean absolute values and names here, not reST's substitutions and targets."""
    for k, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`.*?`)", line)
        for j in range(0, len(parts), 2):
            parts[j] = re.sub(r"(?<!\\)\|", r"\\|", parts[j])
            parts[j] = re.sub(r"(\w)_(?=\W|$)", r"\1\\_", parts[j])
            parts[j] = re.sub(r"(?<!\*)\*(?!\*)", r"\\*", parts[j])
        lines[k] = "".join(parts)


def setup(app):
    """Connect the docstrings' rule, before numpydoc's own."""
    app.connect("autodoc-process-docstring", plain, priority=100)
