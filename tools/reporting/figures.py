# SPDX-License-Identifier: Apache-2.0
"""Drawings as inline SVG. Colours are those of the page: each is drawn in a stand-in, which becomes a
variable of the style sheet, so that a drawing follows light and dark."""

import io
import re

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot  # noqa: E402

INK, MUTED, GRID_LINE = "#101112", "#707172", "#d0d1d2"
ONE, TWO, THREE, FOUR = "#0b62c1", "#c2410d", "#0f7b5d", "#8a3fc1"
VARIABLES = {INK: "--ink", MUTED: "--muted", GRID_LINE: "--line", ONE: "--one", TWO: "--two",
             THREE: "--three", FOUR: "--four"}
WIDTH, HEIGHT = 4.7, 3.5

pyplot.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "shoal", "font.size": 10.5, "font.family": "sans-serif",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED, "xtick.color": INK,
    "ytick.color": INK, "grid.color": GRID_LINE, "grid.linewidth": 0.7, "axes.grid": True,
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "legend.fontsize": 9.5, "figure.facecolor": "none",
    "axes.facecolor": "none", "savefig.facecolor": "none",
})

drawn = 0


def svg_of(figure, title):
    """Inline SVG: no prolog, no references outwards, identifiers of its own."""
    global drawn
    drawn += 1
    out = io.StringIO()
    figure.tight_layout()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    text = out.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r'\s(xmlns(:\w+)?|version)="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'id="', f'id="f{drawn}-', text)
    text = re.sub(r'href="#', f'href="#f{drawn}-', text)
    text = re.sub(r"url\(#", f"url(#f{drawn}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{title}">{rest}'.strip()


def new(width=WIDTH, height=HEIGHT):
    return pyplot.subplots(figsize=(width, height))


def learning(epochs, field, label, best_epoch, reference=None):
    """One figure over epochs; the regression, epoch 0, as a level."""
    figure, axes = new()
    for refit, colour, name in ((False, ONE, "validation" if field != "train_loss" else "training"),
                                (True, THREE, "refit on everything")):
        points = [(e["epoch"], e[field]) for e in epochs
                  if e["refit"] == refit and e["epoch"] > 0 and e[field] is not None]
        if points:
            axes.plot(*zip(*points), color=colour, marker="o", markersize=3, label=name)
    if reference is not None:
        axes.axhline(reference, color=MUTED, linestyle="--", linewidth=1.2, label="regression")
    if best_epoch:
        axes.axvline(best_epoch, color=TWO, linewidth=1, linestyle=":", label="kept")
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.legend()
    return svg_of(figure, f"{label} by epoch")


def objectives(epochs, title):
    """The loss of each objective beside its first one, since their scales differ."""
    figure, axes = new()
    names = list(dict.fromkeys(name for e in epochs for name in e["objectives"]))
    for name, colour in zip(names, (ONE, TWO, THREE, FOUR, MUTED)):
        points = [(e["epoch"], e["objectives"][name]) for e in epochs if name in e["objectives"]]
        axes.plot([x for x, _ in points], [y / points[0][1] for _, y in points], color=colour,
                  marker="o", markersize=3, label=f"next {name}")
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss / loss of the first epoch")
    axes.legend()
    return svg_of(figure, title)


def curve(line, xlabel, ylabel, chance, title):
    """chance: a function of x, or a level."""
    figure, axes = new()
    axes.fill_between(line.x, line.low, line.high, color=ONE, alpha=0.22, linewidth=0,
                      label="95 % by users")
    axes.plot(line.x, line.y, color=ONE, label="model")
    if chance == "diagonal":
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1.2, label="chance")
    else:
        axes.axhline(chance, color=MUTED, linestyle="--", linewidth=1.2, label="base rate")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.legend(loc="lower right" if chance == "diagonal" else "upper right")
    return svg_of(figure, title)


def reliability(groups, title):
    """groups: (name, bins) each."""
    figure, axes = new()
    across, up = [], []
    for (name, bins), colour in zip(groups, (ONE, TWO, THREE)):
        x = [b["mean_score"] for b in bins]
        y = [b["observed"] for b in bins]
        ends = [b["observed_ci"] or [b["observed"]] * 2 for b in bins]
        below = [max(v - e[0], 0) for v, e in zip(y, ends)]
        above = [max(e[1] - v, 0) for v, e in zip(y, ends)]
        axes.errorbar(x, y, yerr=[below, above], color=colour, marker="o", markersize=3.5,
                      linewidth=1.3, elinewidth=1, label=name)
        across += x
        up += x + [bound for e in ends for bound in e]
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle="--", linewidth=1.2, label="as predicted")
    for limit, values in ((axes.set_xlim, across), (axes.set_ylim, up)):
        room = max(0.05 * (max(values) - min(values)), 0.01)
        limit(max(0, min(values) - room), min(1, max(values) + room))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(6))
    axes.set_xlabel("mean predicted probability")
    axes.set_ylabel("share that bought within 24 h")
    axes.legend(loc="upper left")
    return svg_of(figure, title)


def calibration(knots, slope, intercept, low, high):
    """Raw probability to calibrated, over the logits that occur."""
    import numpy
    figure, axes = new()
    z = numpy.linspace(low, high, 400)
    straight = slope * z + intercept
    mapped = numpy.interp(z, *zip(*knots)) if knots else straight
    raw, sigmoid = 1 / (1 + numpy.exp(-z)), lambda v: 1 / (1 + numpy.exp(-v))
    axes.plot(raw, raw, color=MUTED, linestyle="--", linewidth=1.2, label="unchanged")
    axes.plot(raw, sigmoid(straight), color=TWO, linewidth=1.2, label="line")
    if knots:
        axes.plot(raw, sigmoid(mapped), color=ONE, label="isotonic, in use")
        x, y = (numpy.array(v) for v in zip(*(k for k in knots if low <= k[0] <= high)))
        axes.plot(sigmoid(x), sigmoid(y), color=ONE, linestyle="none", marker="o", markersize=3)
    axes.set_xlabel("probability by the network")
    axes.set_ylabel("calibrated")
    axes.legend(loc="upper left")
    return svg_of(figure, "calibration map")


def distribution(scores, warm, hot):
    import numpy
    figure, axes = new()
    ends = float(scores.scores.min()), max(float(scores.scores.max()), hot)
    edges = numpy.linspace(*ends, 61)
    for label, colour, name in ((0, ONE, "no purchase within 24 h"), (1, TWO, "purchase")):
        of = scores.scores[scores.labels == label]
        if len(of):
            axes.hist(of, bins=edges, weights=numpy.full(len(of), 100 / len(of)), color=colour,
                      alpha=0.45, label=name)
    axes.margins(y=0.15)
    for value, name in ((warm, "warm"), (hot, "hot")):
        axes.axvline(value, color=INK, linewidth=1, linestyle=":")
        axes.annotate(name, (value, 0.94), xycoords=("data", "axes fraction"), xytext=(3, 0),
                      textcoords="offset points", fontsize=9.5)
    axes.set_xlabel("score")
    axes.set_ylabel("% of the events of its kind")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0)
    return svg_of(figure, "distribution of the scores")


def importance(rows, label, title):
    """rows: (name, value, low, high), most important first."""
    figure, axes = new(WIDTH, 0.9 + 0.24 * len(rows))
    for place, (_, value, low, high) in enumerate(reversed(rows)):
        colour = ONE if low > 0 else MUTED
        axes.barh(place, value, color=colour, alpha=0.5, height=0.7)
        axes.plot([low, high], [place, place], color=colour, linewidth=1.5)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([row[0] for row in reversed(rows)])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel(label)
    return svg_of(figure, title)


def shares(names, counts, label, title):
    """Horizontal bars of parts of a whole, each with its number."""
    figure, axes = new(WIDTH, 0.9 + 0.32 * len(names))
    total = sum(counts) or 1
    values = [100 * count / total for count in counts]
    places = range(len(names))[::-1]
    axes.barh(list(places), values, color=ONE, alpha=0.5, height=0.65)
    for place, value, count in zip(places, values, counts):
        axes.annotate(f"{count:,} ({value:.1f} %)", (value, place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=9.5)
    axes.set_yticks(list(places))
    axes.set_yticklabels(names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, max(values + [1]) * 1.5)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 100])
    axes.set_xlabel(label)
    return svg_of(figure, title)
