"""Turns runs into the lines and tables that people read."""

import dataclasses
import platform
import statistics

import proxies

NOT_THERE = "–"


@dataclasses.dataclass
class Result:
    """All runs of one scenario, {proxy: [run]}; system calls per request, {proxy: {name: n}}."""
    scenario: object
    runs: dict
    calls: dict
    errors: dict  # {proxy: why it was not measured}

    def valid(self, name):
        return [run for run in self.runs.get(name, []) if not any(run["bad"].values())]

    def median(self, name, key):
        """Over the runs without a bad answer; None when there is none."""
        values = [run[key] for run in self.valid(name) if key in run]
        return statistics.median(values) if values else None

    def spread(self, name, key):
        """Half of the range of the valid runs, as a share of the median."""
        values = [run[key] for run in self.valid(name) if key in run]
        if len(values) < 2:
            return None
        return (max(values) - min(values)) / 2 / statistics.median(values)

    def calls_per_request(self, name):
        calls = self.calls.get(name)
        return sum(calls.values()) if calls else None

    def bad(self, name):
        """(bad answers, void runs, all runs)."""
        runs = self.runs.get(name, [])
        counts = [sum(run["bad"].values()) for run in runs]
        return sum(counts), sum(1 for count in counts if count), len(runs)

    def noisy(self, name, limit):
        return sum(1 for run in self.valid(name) if run["noise"] > limit)


@dataclasses.dataclass(frozen=True)
class Column:
    title: str
    read: object  # (result, proxy name) -> number or None
    show: object  # number -> text
    less_is_better: bool = True


def number(digits, scale=1.0):
    return lambda value: NOT_THERE if value is None else f"{value * scale:,.{digits}f}"


def percent(value):
    return NOT_THERE if value is None else f"{value * 100:.0f} %"


def milliseconds(value):
    return NOT_THERE if value is None else f"{value / 1000:.2f} ms"


def of(key):
    return lambda result, name: result.median(name, key)


CPU = Column("CPU µs/request", of("cpu_us"), number(2))
RATE = Column("requests/s", of("rps"), number(0), less_is_better=False)
EACH = Column("bytes/connection", of("each"), number(0))
MEMORY = Column("RSS MiB", of("rss"), number(1, 1 / 2**20))
LOAD_COLUMNS = [
    RATE, CPU,
    Column("system calls/request", lambda r, name: r.calls_per_request(name), number(2)),
    Column("p50", of("p50_us"), milliseconds),
    Column("p99", of("p99_us"), milliseconds),
    MEMORY,
]
IDLE_COLUMNS = [EACH, Column("RSS MiB before", of("before"), number(1, 1 / 2**20)), MEMORY]


def ratio(result, column):
    """proxyd divided by the better of the others."""
    own = column.read(result, "proxyd")
    others = [column.read(result, name) for name in result.runs if name != "proxyd"]
    others = [value for value in others if value]
    if own is None or not others:
        return None
    return own / (min(others) if column.less_is_better else max(others))


def one_line(run):
    bad = ", ".join(f"{count} {kind}" for kind, count in run["bad"].items() if count)
    verdict = f"  VOID: {bad}" if bad else ""
    if "each" in run:
        return f"{run['each']:.0f} bytes per connection{verdict}"
    return (f"{run['rps']:9,.0f} requests/s  {run['cpu_us']:7.2f} us/request  "
            f"core {run['busy'] * 100:3.0f} %  others {run['noise'] * 100:3.0f} %{verdict}")


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def bad_text(result, name):
    bad, void, runs = result.bad(name)
    return f"{bad} ({void} of {runs} runs void)" if bad else "0"


def summary_row(result, names, column, label):
    cells = [column.show(column.read(result, name)) for name in names]
    bad = sum(result.bad(name)[0] for name in names)
    return [label, column.title, *cells, number(2)(ratio(result, column)), f"{bad:,}"]


def summary(names, results):
    rows = []
    for result in results:
        columns = [EACH] if result.scenario.kind == "idle" else [CPU, RATE]
        rows += [summary_row(result, names, column, result.scenario.name) for column in columns]
    for pair in ("hosts", "peers"):
        halves = [r for r in results if r.scenario.half_of == pair]
        if len(halves) != 2:
            continue
        rows.append([f"{halves[1].scenario.name} / {halves[0].scenario.name}",
                     "CPU of the one / of the other",
                     *(number(3)(growth(*halves, name)) for name in names), NOT_THERE, NOT_THERE])
    return table(["scenario", "what", *names, "proxyd / best", "bad answers"], rows)


def growth(one, many, name):
    before, after = one.median(name, "cpu_us"), many.median(name, "cpu_us")
    return after / before if before and after else None


def details(result, names, limit):
    idle = result.scenario.kind == "idle"
    columns = IDLE_COLUMNS if idle else LOAD_COLUMNS
    titles = ["", *(column.title for column in columns)]
    if not idle:
        titles += ["± CPU", "its core", "load core", "origin conns", "noisy runs"]
    rows = []
    for name in names:
        row = [name, *(column.show(column.read(result, name)) for column in columns)]
        if not idle:
            row += [percent(result.spread(name, "cpu_us")), percent(result.median(name, "busy")),
                    percent(result.median(name, "load_busy")),
                    number(0)(result.median(name, "opened")), str(result.noisy(name, limit))]
        rows.append([*row, bad_text(result, name)])
    if "proxyd" in names:
        empty = [""] * (len(titles) - len(columns))
        rows.append(["**proxyd / best**",
                     *(f"**{number(2)(ratio(result, column))}**" for column in columns), *empty])
    failed = "".join(f"\n{name} was not measured: {' '.join(error.split())}\n"
                     for name, error in result.errors.items())
    return table([*titles, "bad answers"], rows) + failed + call_lines(result, names)


def call_lines(result, names):
    lines = []
    for name in names:
        calls = sorted((result.calls.get(name) or {}).items(), key=lambda item: -item[1])
        shown = ", ".join(f"{call} {count:.2f}" for call, count in calls if count >= 0.005)
        if shown:
            lines.append(f"- {name}: {shown}")
    return "\nSystem calls per request:\n" + "\n".join(lines) + "\n" if lines else ""


def headers_seen(chosen, results):
    """What each proxy sends to the origin for a bare request, once."""
    lines = []
    for proxy in chosen:
        for result in results:
            runs = result.runs.get(proxy.name) or [{}]
            if runs[0].get("headers"):
                lines.append(f"- {proxy.name}: {', '.join(sorted(runs[0]['headers']))}")
                break
    return "\n".join(lines) + "\n"


def configurations(chosen, results):
    """Each proxy's file for the plainest case, and with the access log where that was measured."""
    logged = [r.scenario for r in results if r.scenario.access_log]
    parts = []
    for proxy in chosen:
        kinds = {"": proxies.Case(8080, 9000, "/tmp/bench")}
        if logged:
            kinds[" in `browser`"] = proxies.Case(8080, 9000, "/tmp/bench", access_log=True)
        for label, case in kinds.items():
            parts.append(f"### {proxy.name}{label}\n```\n{proxy.config(case)}```\n")
    return "\n".join(parts)


def machine():
    model = "unknown CPU"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, Linux {platform.release().split('-')[0]}"


def markdown(command, chosen, results, setup):
    names = [proxy.name for proxy in chosen]
    bad = sum(result.bad(name)[0] for result in results for name in names)
    void = sum(result.bad(name)[1] for result in results for name in names)
    rounds = max((len(runs) for r in results for runs in r.runs.values()), default=0)
    versions = "\n".join(f"- {proxy.name}: {proxy.version()}" for proxy in chosen)
    sections = "\n".join(f"### {r.scenario.name}: {r.scenario.text}\n\n"
                         f"{details(r, names, setup.noise_limit)}" for r in results)
    return f"""\
# The bench's table

Made by `{command}` on {machine()}: each proxy alone on core {setup.proxy_core}, wrk and the \
origin on core {setup.load_core}; up to {rounds} interleaved rounds of {setup.seconds:g} s, medians.

Bad answers: **{bad}**; void runs: **{void}**.

{versions}

## Summary

{summary(names, results)}
## Each scenario

{sections}
## What the origin saw

Header lines of a bare request behind each proxy:

{headers_seen(chosen, results)}
## Configurations

Ports and paths are replaced. `c2000` keeps 2,000 idle connections to the origin instead of 128, \
`c2000` and `idle` allow more connections; `hosts` has its hosts and locations instead of the one \
route; `peers-16` has 16 addresses of the origin, least_conn and checks (nginx has no active ones).

{configurations(chosen, results)}"""
