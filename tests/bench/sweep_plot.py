"""Small multiples of a sweep's rows as one SVG: for each sweep its tokens/s and its memory, f32 and bf16 as lines."""

import math
from xml.sax.saxutils import escape

WIDTH, COLUMNS = 900, 4
PANEL_WIDTH, PANEL_HEIGHT = WIDTH // COLUMNS, 200
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 42, 40  # around a panel's axes
HEADER = 40
COLOURS = {"f32": "#1f5fa8", "bf16": "#c8571b"}
INK, FAINT, GRID = "#24292f", "#57606a", "#e3e6ea"
WORKS = {"sample": "sampling", "rloo": "RLOO", "dpo": "DPO"}


def short(value):
    if value >= 10000:
        return f"{value / 1000:.0f}k"
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def log_ticks(least, most):
    """1, 2, 5 steps around least..most; powers of ten where those are many."""
    steps = [m * 10 ** e for e in range(-3, 7) for m in (1, 2, 5)]
    low = max([s for s in steps if s <= least * 1.0001], default=steps[0])
    high = min([s for s in steps if s >= most * 0.9999], default=steps[-1])
    if low == high:
        high = steps[steps.index(low) + 1]
    ticks = [s for s in steps if low <= s <= high]
    return ticks, [s for s in ticks if len(ticks) <= 7 or math.log10(s).is_integer() or s in (low, high)]


def linear_ticks(most):
    step = 10 ** math.floor(math.log10(most))
    step *= next(m for m in (0.2, 0.5, 1, 2) if most / (m * step) <= 5.5)
    ticks = [i * step for i in range(math.ceil(most / step) + 1)]
    return ticks, ticks


class Panel:
    """One pair of axes; x is log2, y log for tokens/s and linear from zero for memory."""

    def __init__(self, left, top, rows, quantity):
        self.x0, self.y0 = left + LEFT, top + TOP
        self.width, self.height = PANEL_WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM
        self.log = quantity == "tokens_per_s"
        values = [row[key] for row in rows for key in ([quantity] if self.log else [quantity, "forecast_mb"])]
        self.ticks, self.labelled = log_ticks(min(values), max(values)) if self.log else linear_ticks(max(values))
        self.xs = sorted({row["x"] for row in rows})

    def x(self, value):
        least, most = math.log2(self.xs[0]), math.log2(self.xs[-1])
        inset = 8
        share = 0.5 if most == least else (math.log2(value) - least) / (most - least)
        return self.x0 + inset + share * (self.width - 2 * inset)

    def y(self, value):
        low, high = self.ticks[0], self.ticks[-1]
        share = math.log(value / low) / math.log(high / low) if self.log else (value - low) / (high - low)
        return self.y0 + self.height * (1 - share)


def text(x, y, content, size=11, anchor="middle", colour=FAINT, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{escape(content)}</text>')


def line(x1, y1, x2, y2, colour, extra=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {extra}/>'


def axes(panel, axis, title, unit):
    out = [text(panel.x0 - LEFT + 6, panel.y0 - 24, title, 12, "start", INK, "600"),
           text(panel.x0 - 5, panel.y0 - 8, unit, 10, "end" if len(unit) < 6 else "middle")]
    for tick in panel.ticks:
        y = panel.y(tick)
        out.append(line(panel.x0, y, panel.x0 + panel.width, y, GRID))
        if tick in panel.labelled:
            out.append(text(panel.x0 - 5, y + 3.5, short(tick), 10, "end"))
    last = -100.0
    for value in panel.xs:
        x = panel.x(value)
        out.append(line(x, panel.y0 + panel.height, x, panel.y0 + panel.height + 3, FAINT))
        if x - last >= 24:
            out.append(text(x, panel.y0 + panel.height + 14, short(value), 10))
            last = x
    bottom = panel.y0 + panel.height
    out.append(line(panel.x0, bottom, panel.x0 + panel.width, bottom, FAINT))
    out.append(text(panel.x0 + panel.width / 2, bottom + 29, axis, 11))
    return out


def curves(panel, rows, quantity, first_work):
    out = []
    for work, dtype in dict.fromkeys((row["work"], row["dtype"]) for row in rows):
        points = sorted((row["x"], row) for row in rows if (row["work"], row["dtype"]) == (work, dtype))
        colour, dash = COLOURS[dtype], ' stroke-dasharray="5 3"' if work != first_work else ""
        path = " ".join(f"{panel.x(x):.1f},{panel.y(row[quantity]):.1f}" for x, row in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"{dash}/>')
        for x, row in points:
            out.append(f'<circle cx="{panel.x(x):.1f}" cy="{panel.y(row[quantity]):.1f}" r="2.6" fill="{colour}"/>')
            if quantity == "peak_mb":
                out.append(f'<circle cx="{panel.x(x):.1f}" cy="{panel.y(row["forecast_mb"]):.1f}" r="4.6" fill="none" '
                           f'stroke="{colour}" stroke-width="1"/>')
    return out


def legend():
    out, x = [], 14
    for label, colour, dash in (("f32", COLOURS["f32"], ""), ("bf16", COLOURS["bf16"], ""),
                                ("the second of two works", FAINT, 'stroke-dasharray="5 3"')):
        out += [line(x, 20, x + 26, 20, colour, f'stroke-width="2" {dash}'), text(x + 32, 24, label, 12, "start", INK)]
        x += 52 + 7 * len(label)
    out += [f'<circle cx="{x + 6}" cy="20" r="4.6" fill="none" stroke="{FAINT}"/>',
            text(x + 18, 24, "memory that was foretold", 12, "start", INK)]
    return out


def draw(sweeps, rows):
    """The SVG's text. `sweeps`: as sweep.py names them; rows that were refused are left out."""
    measured = [row for row in rows if "refusal" not in row]
    shown = [sweep for sweep in sweeps if any(row["sweep"] == sweep.name for row in measured)]
    body = legend()
    for i, sweep in enumerate(shown):
        of_sweep = [row for row in measured if row["sweep"] == sweep.name]
        top = HEADER + i // 2 * PANEL_HEIGHT
        works = ", ".join(WORKS[work] for work in sweep.works if any(row["work"] == work for row in of_sweep))
        for j, (quantity, title) in enumerate((("tokens_per_s", f"{sweep.title}: {works}"), ("peak_mb", "memory"))):
            panel = Panel((i % 2 * 2 + j) * PANEL_WIDTH, top, of_sweep, quantity)
            body += axes(panel, sweep.axis, title, ("tokens/s", "MiB")[j])
            body += curves(panel, of_sweep, quantity, sweep.works[0])
    height = HEADER + (len(shown) + 1) // 2 * PANEL_HEIGHT + 6
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n")
