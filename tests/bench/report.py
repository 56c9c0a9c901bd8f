"""Turns runs into the lines and tables that people read."""

import platform

import columns
from case import Case
from columns import NOT_THERE, number, percent
from results import comparisons


READING = """\
CPU µs is the time of all threads of a proxy over what it did; it is the number to compare. "proxyd \
/ best" is proxyd over the best of the others, below 1 is better (for a rate above 1); "mark" is what \
it has to reach. A run with one bad answer, or with a connection that got none, is void and counts \
nowhere. All columns, settings and reasons: `tests/bench/README.md`.

- `small` to `idle`: HTTP/1.1 without TLS.
- `tls_small`, `tls_64k`: HTTP/1.1 over TLS 1.3. `h2_small`, `h2_64k`: HTTP/2 over TLS 1.3 made by \
h2load, also against nghttpx and h2o. Every load over TLS offers AES-128-GCM and X25519 only, so all \
proxies do the same work.
- `tls_handshake`, `tls_resumed`: handshakes with a P-256 certificate and no request, full and with a \
session ticket; `tls_bare`: the same connections without a handshake. "full / resumed" is how much \
cheaper a resumed one is, as measured and with `tls_bare` taken off both. A resumed handshake of TLS \
1.3 still has a key exchange, one of TLS 1.2 has none.
- `tls_workers`: proxy and load share both cores, with one worker and with two. What a handshake \
costs more with two is contention: "2 x the one / the other" is how many times the handshakes of one \
worker two would do on a core each. nginx's workers are processes that share nothing, so its value is \
what this machine allows.
- `idle`, `idle_tls`: memory that each of some thousand idle connections adds.
- `hosts_tls`: 10,000 hosts with a certificate each: memory, the time from the order to reload until \
the new generation answers, and the longest wait of a client that asks 200 times a second from then \
until three seconds later; all of the proxy on one core.
"""


def one_line(run):
    bad = ", ".join(f"{count} {kind}" for kind, count in run["bad"].items() if count)
    verdict = f"  VOID: {bad}" if bad else ""
    if "each" in run:
        return f"{run['each']:.0f} bytes per connection{verdict}"
    if "reload_s" in run:
        return (f"{run['rss'] / 2**20:.0f} MiB  reload {run['reload_s']:.2f} s  "
                f"longest wait {run['stall_ms']:.1f} ms{verdict}")
    return (f"{run['rps']:9,.0f} /s  {run['cpu_us']:7.2f} us each  "
            f"core {run['busy'] * 100:3.0f} %  others {run['noise'] * 100:3.0f} %{verdict}")


def table(titles, rows):
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def bad_text(result, name):
    bad, void, runs = result.bad(name)
    return f"{bad} ({void} of {runs} runs void)" if bad else "0"


def mark_text(result, column):
    """The marks on this column, and whether proxyd keeps them."""
    texts = []
    for mark in result.scenario.marks:
        if mark.key != column.key:
            continue
        value = column.ratio(result) if mark.is_ratio else column.read(result, "proxyd")
        limit = f"{mark.limit:.2f}" if mark.is_ratio else column.show(mark.limit)
        texts.append(f"≤ {limit}{kept(value, value is not None and value <= mark.limit)}")
    return ", ".join(texts)


def kept(value, is_kept):
    return "" if value is None else " kept" if is_kept else " **missed**"


def summary_rows(result, names):
    for column in columns.summary(result.scenario):
        cells = [column.show(column.read(result, name)) for name in names]
        bad = sum(result.bad(name)[0] for name in names)
        yield [result.scenario.name, column.title, *cells, number(2)(column.ratio(result)),
               mark_text(result, column), f"{bad:,}"]


def comparison_row(pair, results, names):
    values = [pair.value(results, name) for name in names]
    mark = ""
    if pair.at_least:
        own = pair.value(results, "proxyd")
        mark = f"≥ {pair.at_least:g}{kept(own, own is not None and own >= pair.at_least)}"
    return [pair.label, pair.text, *map(number(3), values), NOT_THERE, mark, NOT_THERE]


def summary(names, results):
    rows = [row for result in results for row in summary_rows(result, names)]
    rows += [comparison_row(pair, results, names) for pair in comparisons(results)]
    return table(["scenario", "what", *names, "proxyd / best", "mark", "bad answers"], rows)


def details(result, names, limit):
    names = [name for name in names if name in result.runs]
    is_load = result.scenario.kind in ("load", "handshakes")
    shown = columns.details(result.scenario)
    titles = ["", *(column.title for column in shown)]
    if is_load:
        titles += ["± CPU", "its core", "load core", "origin conns", "noisy runs"]
    rows = []
    for name in names:
        row = [name, *(column.show(column.read(result, name)) for column in shown)]
        if is_load:
            row += [percent(result.spread(name, "cpu_us")), percent(result.median(name, "busy")),
                    percent(result.median(name, "load_busy")),
                    number(0)(result.median(name, "opened")), str(result.noisy(name, limit))]
        rows.append([*row, bad_text(result, name)])
    if "proxyd" in names:
        empty = [""] * (len(titles) - len(shown))
        rows.append(["**proxyd / best**",
                     *(f"**{number(2)(column.ratio(result))}**" for column in shown), *empty])
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
    return "\nSystem calls for each:\n" + "\n".join(lines) + "\n" if lines else ""


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
    """Each proxy's file for the plainest case, with the access log, and with TLS: what was used."""
    logged = any(r.scenario.access_log for r in results)
    tls = any(r.scenario.tls for r in results)
    plain = not all(r.scenario.tls for r in results)
    parts = []
    for proxy in chosen:
        kinds = {}
        if plain and any(not r.scenario.tls and r.scenario.takes(proxy.name) for r in results):
            kinds[""] = Case(8080, 9000, "/tmp/bench")
        if kinds and logged:
            kinds[" in `browser`"] = Case(8080, 9000, "/tmp/bench", access_log=True)
        if tls:
            kinds[" with TLS"] = Case(8443, 9000, "/tmp/bench", idle_upstream=256, tls=True,
                                      certificates="/tmp/bench")
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

Made by `{command}` on {machine()}: each proxy alone on core {setup.proxy_core}, load and \
origin on core {setup.load_core}; up to {rounds} interleaved rounds of {setup.seconds:g} s, medians.

Bad answers: **{bad}**; void runs: **{void}**.

{versions}

## How to read it

{READING}
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
route; `peers-16` has 16 addresses of the origin, least_conn and checks (nginx has no active ones). \
With TLS, `h2_small` and `h2_64k` keep 256 idle connections to the origin, the others 128; \
`hosts_tls` has a host with its certificate for each name; `tls_workers-2` has two workers.

{configurations(chosen, results)}"""
