"""The report: what stands in it, that it needs nothing else, and that a browser shows it without complaint."""

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest
import xarray

from physlearn.plot import plot_bands
from physlearn.study import grid as grid_of, study
from physlearn.study.reports.pictures import pictures
from physlearn.study.reports.report import write_report

EVIL = 'cost <script>alert("x")</script> & {{rows}} </script>'
PROVENANCE = json.dumps({"task": "pkg.mod:run", "versions": {"numpy": "2.3"}, "file": "[study]\ntask = 'x'"})


def grid(rng, rule=False):
    """Two parameters, three replicates, a failed point and one that has not run; perhaps a third parameter."""
    eta, nodes = np.geomspace(1e-3, 1, 5), np.array([16, 24, 32, 48])
    dims, shape = ("eta", "nodes", "replicate"), (5, 4, 3)
    coords = {"eta": eta, "nodes": nodes, "replicate": np.arange(3)}
    accuracy = 1 - 0.5 * eta[:, None, None] - 2 / nodes[:, None] + 0.01 * rng.standard_normal(shape)
    status = np.zeros(shape, dtype=int)
    status[4, 3], status[0, 3], status[3, 3, 1] = 1, 2, 3
    accuracy[status != 0] = np.nan
    cost = np.where(status[..., None] == 0, np.exp(-np.arange(20) / 4) * rng.uniform(1, 2, (*shape, 1)), np.nan)
    data = {
        "status": (dims, status, {"flag_values": [0, 1, 2, 3], "flag_meanings": "done failed planned timeout"}),
        "accuracy": (dims, accuracy, {"long_name": "held-out accuracy"}),
        "cost": ((*dims, "epoch"), cost, {"units": "V²"}),
    }
    found = xarray.Dataset(data, coords, {"provenance": PROVENANCE})
    return found.expand_dims(rule=["hebb", "storkey"]) if rule else found


def scattered(rng, dims=2):
    at = rng.random((80, dims))
    at[:4, :2] = [[0, 0], [0, 1], [1, 0], [1, 1]]
    value = (at[:, 0] + at[:, 1] < 0.9).astype(float)
    value[7] = np.nan
    coords = {name: ("point", at[:, k]) for k, name in enumerate("xyz"[:dims])}
    status = np.where(np.isnan(value), "failed", "done")
    return xarray.Dataset({"status": ("point", status), "order": ("point", value)}, coords)


def line(rng):
    value = rng.random((9, 4))
    coords = {"temperature": ("temperature", np.linspace(1, 3, 9), {"units": "K"}), "replicate": np.arange(4)}
    dims = ("temperature", "replicate")
    return xarray.Dataset({"status": (dims, np.full((9, 4), "done")), "m": (dims, value)}, coords)


def one_point(rng):
    data = {
        "status": ("replicate", ["done"] * 5),
        "accuracy": ("replicate", rng.random(5)),
        "cost": (("replicate", "epoch"), rng.random((5, 30))),
        "confusion": (("replicate", "true", "guess"), rng.random((5, 3, 3))),
    }
    return xarray.Dataset(data)


def zipped(rng):
    coords = {"n": ("pair", [8, 16, 32]), "label": ("pair", ["a", "b", "c"]), "T": [1.0, 2.0, 3.0, 4.0, 5.0]}
    status = (("pair", "T"), np.full((3, 5), "done"))
    return xarray.Dataset({"status": status, "m": (("pair", "T"), rng.random((3, 5)))}, coords)


CASES = {
    "grid": grid,
    "three axes": lambda rng: grid(rng, rule=True),
    "refined": scattered,
    "sampled": lambda rng: scattered(rng, 3),
    "listed": lambda rng: scattered(rng).drop_vars("y").isel(point=slice(10)),
    "line": line,
    "one point": one_point,
    "zipped": zipped,
}
SLOW = ("three axes",)
FAILURES = [
    {"params": {"eta": 1.0, "nodes": 48}, "replicate": r, "type": "ValueError", "traceback": f"Traceback\n  at\n{EVIL}"}
    for r in range(3)
] + [{"params": {}, "replicate": 1, "type": "Timeout", "traceback": ""}]


class Page(HTMLParser):
    """Text, tags and references of a page."""

    def __init__(self, path):
        super().__init__()
        self.source, self.tags, self.references, self.words = path.read_text(encoding="utf-8"), [], [], []
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    @property
    def rows(self):
        return json.loads(re.search(r'id="rows">(.*?)</script>', self.source, re.S)[1])


@pytest.mark.parametrize("case", [pytest.param(c, marks=pytest.mark.slow if c in SLOW else ()) for c in CASES])
def test_needs_nothing_else_and_every_picture_decodes(case, rng, tmp_path):
    dataset = CASES[case](rng)
    page = Page(write_report(dataset, FAILURES, tmp_path / "report.html", title=EVIL))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    inside = [r for r in page.references if r.startswith("#")]
    images = [r for r in page.references if r.startswith("data:image/png;base64,")]
    assert len(inside) + len(images) + 1 == len(page.references)  # and an empty icon
    assert not re.search(r"https?:|url\(|@import", page.source)
    for image in images:
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(image.split(",")[1])))
        assert pixels[..., :3].std() > 0.01  # something is drawn
    assert len(images) >= 1
    assert "Could not be drawn" not in page.source
    assert page.tags.count("script") == 2  # nothing that was put in has become one
    assert EVIL.replace("  ", " ") in page.text
    assert len(page.rows["rows"]) == dataset["status"].size
    assert len(page.source) < 2_000_000


def test_table_holds_the_dataset(rng, tmp_path, monkeypatch):
    monkeypatch.setattr("physlearn.study.reports.report.pictures", lambda dataset: ([], []))
    dataset = grid(rng).drop_vars("cost")
    page = Page(write_report(dataset, FAILURES, tmp_path / "report.html"))
    assert page.rows["columns"] == ["eta", "nodes", "replicate", "status", "accuracy"]
    words = np.array(["done", "failed", "planned", "timeout"])
    for eta, nodes, replicate, status, value in page.rows["rows"]:
        at = dataset.sel(eta=eta, nodes=nodes, replicate=replicate, method="nearest")
        assert status == words[int(at["status"])]
        assert (value is None) if status != "done" else value == pytest.approx(float(at["accuracy"]), rel=1e-8)
    counts = re.findall(r"<b>(\d+)</b> (\w+)", page.source)
    assert sorted(counts) == [("1", "timeout"), ("3", "failed"), ("3", "planned"), ("53", "done")]


def test_failures_of_a_kind_stand_together(rng, tmp_path):
    page = Page(write_report(grid(rng)[["status"]], FAILURES, tmp_path / "report.html"))
    assert page.tags.count("details") == 3  # two kinds of failure, and the study file under provenance
    assert "3 × " + EVIL in page.text
    assert "eta = 1.0, nodes = 48, replicate 2" in page.text


def test_says_what_is_missing_and_what_is_left_out(rng):
    scalars, curves = pictures(grid(rng))
    assert "2 of 20 values are missing" in scalars[0].caption
    assert "Mean over 3 replicates" in curves[0].caption
    many = line(rng).isel(replicate=0).expand_dims(seed=np.arange(12)).transpose("seed", "temperature")
    many = many.assign(path=(("seed", "temperature", "t"), rng.random((12, 9, 5))))
    _, curves = pictures(many)
    assert "Of 12 values of seed, 8 are shown" in curves[0].caption
    assert "The first 6 of 9 combinations of temperature" in curves[0].caption


def test_curves_are_drawn_over_the_axes_that_the_task_has_named(rng):
    data = grid(rng)  # cost over epoch
    data["places"] = ((*data["status"].dims, "places_0"), rng.random((*data["status"].shape, 4)))
    assert [p.title for p in pictures(data)[1]] == [p.title for p in pictures(grid(rng))[1]]
    assert len(pictures(data.drop_vars("cost"))[1]) == 1  # nothing is named: all may be of interest


def test_infinities_are_counted_apart_from_what_is_missing(rng, tmp_path):
    data = grid(rng)
    data["accuracy"][1, 0, 0], data["accuracy"][1, 1] = np.inf, -np.inf
    data["accuracy"][1, 2, :2] = [np.inf, -np.inf]  # no mean
    scalars, _ = pictures(data)
    assert "3 of 20 values are missing. 2 of 20 values are infinite" in scalars[0].caption
    page = Page(write_report(data, [], tmp_path / "r.html"))
    assert "47 and 6 infinite" in page.text and "Could not be drawn" not in page.text
    found = scattered(rng)
    found["order"][3:9] = np.inf
    assert pictures(found)[0][0].figure is not None
    found["order"][:] = -np.inf
    assert "No point has a finite value" in pictures(found)[0][0].caption


def test_refinement_finds_where_a_result_diverges_and_curves_stand_in_order(tmp_path):
    refine = {"observable": "m", "tolerance": 0.5, "levels": 2}
    space = {"x": [2.0, 1.0, 0.0]}
    done = study("scan_tasks:diverging", space, store=tmp_path / "s", executor="serial", replicates=2, refine=refine)
    data = done.to_dataset()
    assert np.sort(data["x"]).tolist() == [0.0, 1.0, 1.25, 1.5, 2.0]
    names = [text.get_text() for text in pictures(data)[1][0].figure.legends[0].get_texts()]
    assert names == ["x 0", "x 1", "x 1.25", "x 1.5", "x 2"]


def test_values_are_shown_as_they_are():
    data = xarray.DataArray([[1.0, 2.0], [3.0, 4.0]], {"rule": ["_hidden", "$x$"], "t": [0, 1]}, ("rule", "t"))
    ax = plot_bands(data, x="t")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [" _hidden", r"\$x\$"]


def test_nothing_measured_yet(rng, tmp_path):
    dataset = grid(rng)
    dataset["status"][:] = 2
    dataset["accuracy"][:] = np.nan
    dataset["cost"][:] = np.nan
    assert "No point has a value yet" in write_report(dataset, [], tmp_path / "r.html").read_text(encoding="utf-8")
    bare = write_report(dataset[["status"]], [], tmp_path / "bare.html")
    assert len(Page(bare).rows["rows"]) == 60


def test_task_figures_and_refusal(rng, tmp_path):
    dataset = one_point(rng)
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, rng.random((4, 4)), format="png")
    page = Page(write_report(dataset, [], tmp_path / "r.html", task_figures={"network <1>": buffer.getvalue()}))
    assert "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode() in page.references
    assert "network <1>" in page.text and "Curves" not in page.text  # the task's own stand for them
    page = Page(write_report(dataset, [], tmp_path / "r.html", task_figures={"network": "ValueError: no ink"}))
    assert "Could not be drawn: ValueError: no ink" in page.text and "Curves" in page.text
    with pytest.raises(ValueError, match="status"):
        write_report(dataset.drop_vars("status"), [], tmp_path / "r.html")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def browse(path, folder):
    """The page as a browser leaves it, and what it wrote on its console."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
    options += ["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", path.as_uri()]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt install chromium")
def test_a_browser_shows_it_sorts_it_filters_it(rng, tmp_path):
    path = write_report(grid(rng).drop_vars("cost"), FAILURES, tmp_path / "report.html", title=EVIL)
    use = """<script>
      const cells = row => [...row.cells].map(cell => cell.textContent);
      const rows = () => [...document.querySelectorAll("#points tbody tr")].map(cells);
      const filter = document.getElementById("filter"), said = {};
      const search = text => { filter.value = text; filter.dispatchEvent(new Event("input")); return rows(); };
      const heads = [...document.querySelectorAll("#points th button")];
      said.all = rows().length;
      said.failed = search("failed");
      said.compared = search("eta > 0.1 nodes=48 status!=done").length;
      window.Blob = class { constructor(parts) { said.csv = parts.join(""); } };
      URL.createObjectURL = () => "#"; URL.revokeObjectURL = () => {};
      search("failed"); document.getElementById("csv").click();
      said.none = search("nosuch=1").length; said.count = document.getElementById("count").textContent;
      search("status=done");
      heads[4].click(); said.rising = rows().map(r => Number(r[4]));
      heads[4].click(); said.falling = rows().map(r => Number(r[4]));
      said.broken = [...document.images].filter(i => i.naturalWidth === 0).length;
      said.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
      document.body.textContent = JSON.stringify(said);
    </script></body>"""
    used = tmp_path / "used.html"
    used.write_text(path.read_text(encoding="utf-8").replace("</body>", use), encoding="utf-8")
    page, console = browse(used, tmp_path)
    assert console == []
    said = json.loads(re.search(r"<body>(.*?)</body>", page, re.S)[1])
    assert said["all"] == 60
    assert len(said["failed"]) == 3 and all(row[3] == "failed" and row[1] == "48" for row in said["failed"])
    assert said["compared"] == 4
    head, *lines = said["csv"].splitlines()
    assert head.split(",")[:4] == ["eta", "nodes", "replicate", "status"] and len(lines) == 3
    assert all(line.split(",")[3] == "failed" for line in lines)
    assert said["none"] == 60 and "no such column" in said["count"]
    assert len(said["rising"]) == 53 and said["rising"] == sorted(said["rising"])
    assert said["falling"] == said["rising"][::-1]
    assert said["broken"] == 0 and not said["wide"]


def test_of_a_study_that_was_run_and_refined(tmp_path):
    done = study(
        "physlearn.tasks:hopfield",
        grid_of(load=[0.02, 0.4], temperature=[0.1, 1.3], neurons=50, cues=2, sweeps=4),
        store=tmp_path / "map",
        executor="serial",
        replicates=2,
        refine={"observable": "overlap", "tolerance": 0.5, "levels": 1},
        progress=False,
    )
    page = Page(done.report())
    assert len(page.rows["rows"]) == 18 and "9 points of load, temperature" in page.text
    assert page.tags.count("img") == 3 and "Could not be drawn" not in page.text  # overlap, retrieved, and in time
    assert "neurons" in page.text and "numpy" in page.text
    assert re.search(r"began 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.text)
