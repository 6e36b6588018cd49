#!/usr/bin/env python3
"""Draws what fdkbench measured, from the views of its database, as PNG files.

  scripts/plot.py --db fdkbench.db --out plots
      speedup.png   ratio to the baseline by m and bits, a panel for each n x k
      floor.png     per cent of the floor by shape and bits
  scripts/plot.py --family lut_mv --param warps
      also lut_mv-warps.png: time against one parameter, a panel for each n x k and bits
"""

import argparse
import collections
import pathlib
import sqlite3
import sys

BIT_COLOURS = {16: "tab:gray", 8: "tab:blue", 4: "tab:green", 2: "tab:orange", 1: "tab:red"}


class Fault(Exception):
    """A message for the user, with the exit code of the program."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--db", default="fdkbench.db", help="database (default: %(default)s)")
    parser.add_argument("--out", default="plots", help="folder for the PNG files (default: %(default)s)")
    parser.add_argument("--device", help="name or key of the device; default: that of the newest row")
    parser.add_argument("--type", choices=["bf16", "fp16"], default="bf16", help="(default: %(default)s)")
    parser.add_argument("--family", help="kernel family, with --param")
    parser.add_argument("--param", help="parameter of the family to draw the time against")
    arguments = parser.parse_args()
    if bool(arguments.family) != bool(arguments.param):
        parser.error("--family and --param belong together: --family lut_mv --param warps")
    return arguments


def open_database(path):
    if not pathlib.Path(path).is_file():
        raise Fault(2, f"there is no database {path}: run fdkbench sweep first, or give another --db")
    db = sqlite3.connect(pathlib.Path(path).resolve().as_uri() + "?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    try:
        db.execute("SELECT * FROM best LIMIT 0")
    except sqlite3.Error as error:
        raise Fault(2, f"{path} is not a database that this script can read ({error}): give another --db")
    return db


def choose_scope(db, device):
    """(device_key, policy) of the newest measurement, of the given device if any."""
    newest = db.execute(
        "SELECT device_key, policy FROM candidates_flat WHERE ?1 IS NULL OR ?1 IN (device, device_key)"
        " ORDER BY measurement_id DESC LIMIT 1",
        (device,),
    ).fetchone()
    if newest:
        return tuple(newest)
    known = [row[0] for row in db.execute("SELECT name FROM device ORDER BY name")]
    if known and device:
        raise Fault(2, f"no measurements of the device '{device}': give one of {', '.join(known)} with --device")
    raise Fault(2, "the database holds no measurements yet: run fdkbench sweep first")


def grouped(rows, *columns):
    """The rows in a dictionary by their values of the columns, in order."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return dict(sorted(groups.items()))


def format_label(bits, group_size):
    text = "1 bit" if bits == 1 else f"{bits} bits"
    return text if bits == 16 else f"{text}, group {group_size}"


def panels(plt, count):
    """A figure with `count` axes; returns it and them."""
    columns = min(count, 3)
    lines = -(-count // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(5.2 * columns, 3.8 * lines), squeeze=False, layout="constrained"
    )
    used = list(axes.flat)[:count]
    for unused in list(axes.flat)[count:]:
        unused.remove()
    return figure, used


def line_style(group_size, group_sizes):
    return ["-", "--", ":", "-."][group_sizes.index(group_size) % 4]


def error_bar(row):
    """Lengths below and above the point; none where the interval of the ratio has no end."""
    if row["ratio_lo"] is None or row["ratio_hi"] in (None, float("inf")):
        return 0, 0
    return max(row["ratio"] - row["ratio_lo"], 0), max(row["ratio_hi"] - row["ratio"], 0)


def draw_speedup(plt, best):
    by_matrix = grouped(best, "n", "k")
    group_sizes = sorted({row["group_size"] for row in best if row["bits"] < 16}) or [0]
    figure, axes = panels(plt, len(by_matrix))
    for axis, ((n, k), rows) in zip(axes, by_matrix.items()):
        for (bits, group_size), line in grouped(rows, "bits", "group_size").items():
            line.sort(key=lambda row: row["m"])
            ratios = [row["ratio"] for row in line]
            axis.errorbar(
                [row["m"] for row in line],
                ratios,
                yerr=list(zip(*(error_bar(row) for row in line))),
                marker="o",
                markersize=4,
                capsize=2,
                color=BIT_COLOURS[bits],
                linestyle="-" if bits == 16 else line_style(group_size, group_sizes),
                label=format_label(bits, group_size),
            )
        axis.axhline(1, color="black", linewidth=0.8)
        axis.set_xscale("log", base=2)
        ticks = sorted({row["m"] for row in rows})
        axis.set_xticks(ticks, [str(m) for m in ticks])
        axis.set_title(f"n = {n}, k = {k}")
        axis.set_xlabel("m (tokens)")
        axis.set_ylabel("baseline time / time")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    return figure


def draw_floor(plt, best):
    rows = [row for row in best if row["floor_pct"] is not None]
    shapes = list(grouped(rows, "n", "k", "m"))
    formats = list(grouped(rows, "bits", "group_size"))
    figure, axis = plt.subplots(figsize=(max(6, 0.8 * len(shapes) + 2), 4), layout="constrained")
    width = 0.8 / max(len(formats), 1)
    shades = collections.Counter()
    for index, (bits, group_size) in enumerate(formats):
        bars = [row for row in rows if (row["bits"], row["group_size"]) == (bits, group_size)]
        axis.bar(
            [shapes.index((row["n"], row["k"], row["m"])) + (index + 0.5) * width - 0.4 for row in bars],
            [row["floor_pct"] for row in bars],
            width,
            color=BIT_COLOURS[bits],
            alpha=1 / (1 + shades[bits]),
            label=format_label(bits, group_size),
        )
        shades[bits] += 1
    axis.axhline(100, color="black", linewidth=0.8)
    axis.set_xticks(range(len(shapes)), [f"{m}x{n}x{k}" for n, k, m in shapes], rotation=60, ha="right")
    axis.set_ylabel("% of floor")
    axis.grid(axis="y", alpha=0.3)
    if formats:
        axis.legend(fontsize="small", ncols=min(len(formats), 5), loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure


def draw_parameter(plt, rows, family, param):
    by_panel = grouped(rows, "n", "k", "bits", "group_size")
    values = sorted({row["value"] for row in rows}, key=lambda value: (isinstance(value, str), value))
    places = {value: place for place, value in enumerate(values)}
    figure, axes = panels(plt, len(by_panel))
    for axis, ((n, k, bits, group_size), points) in zip(axes, by_panel.items()):
        for colour, ((m,), cell) in enumerate(grouped(points, "m").items()):
            fastest = grouped(cell, "value")
            line = sorted((places[value], min(row["time_us"] for row in group)) for (value,), group in fastest.items())
            axis.plot(*zip(*line), marker="o", color=f"C{colour % 10}", label=f"m = {m}")
            axis.scatter(
                [places[row["value"]] for row in cell],
                [row["time_us"] for row in cell],
                s=6,
                alpha=0.3,
                color=f"C{colour % 10}",
            )
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("{x:g}")
        axis.set_xticks(range(len(values)), [str(value) for value in values])
        axis.set_title(f"n = {n}, k = {k}, {format_label(bits, group_size)}", fontsize="medium")
        axis.set_xlabel(f"{family}: {param} (line: the fastest)")
        axis.set_ylabel("time, us")
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    return figure


def parameter_rows(db, scope, arguments):
    names = [
        row[0]
        for row in db.execute(
            "SELECT DISTINCT key FROM candidate, json_each(params) WHERE family = ? ORDER BY key",
            (arguments.family,),
        )
    ]
    if not names:
        families = [row[0] for row in db.execute("SELECT DISTINCT family FROM candidate ORDER BY family")]
        raise Fault(2, f"no family '{arguments.family}' in the database: it has {', '.join(families)}")
    if arguments.param not in names:
        raise Fault(2, f"{arguments.family} has no parameter '{arguments.param}': it has {', '.join(names)}")
    rows = db.execute(
        "SELECT m, n, k, bits, group_size, json_extract(params, '$.\"' || ? || '\"') AS value, time_us"
        " FROM candidates_flat WHERE device_key = ? AND policy = ? AND type = ? AND family = ?"
        " AND time_us IS NOT NULL AND value IS NOT NULL",
        (arguments.param, *scope, arguments.type, arguments.family),
    ).fetchall()
    if not rows:
        raise Fault(2, f"no timed {arguments.family} with {arguments.type} in the database: try another --type")
    return rows


def import_pyplot():
    try:
        import matplotlib
    except ImportError:
        raise Fault(3, "matplotlib is missing: pip install matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot

    return matplotlib.pyplot


def run():
    arguments = parse_arguments()
    db = open_database(arguments.db)
    scope = choose_scope(db, arguments.device)
    best = db.execute(
        "SELECT * FROM best WHERE device_key = ? AND policy = ? AND type = ?", (*scope, arguments.type)
    ).fetchall()
    if not best:
        raise Fault(2, f"no correct kernel for {arguments.type} in the database: try another --type")
    parameter = parameter_rows(db, scope, arguments) if arguments.param else None

    plt = import_pyplot()
    figures = {"speedup": draw_speedup(plt, best), "floor": draw_floor(plt, best)}
    if parameter:
        figures[f"{arguments.family}-{arguments.param}"] = draw_parameter(
            plt, parameter, arguments.family, arguments.param
        )
    out = pathlib.Path(arguments.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            figure.suptitle(f'{best[0]["device"]}, {best[0]["policy"]}')
            figure.savefig(out / f"{name}.png", dpi=120)
            print(out / f"{name}.png")
    except OSError as error:
        raise Fault(3, f"cannot write {out}: {error.strerror}; give another --out")


if __name__ == "__main__":
    try:
        run()
    except Fault as fault:
        print(f"plot.py: {fault}", file=sys.stderr)
        sys.exit(fault.code)
