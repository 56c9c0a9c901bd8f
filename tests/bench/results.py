"""What was measured, and what is made of it: medians, ratios, marks."""

import dataclasses
import statistics


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
    key: str  # of a run; "calls" for the system calls
    show: object  # number -> text
    less_is_better: bool = True

    def read(self, result, name):
        if self.key == "calls":
            return result.calls_per_request(name)
        return result.median(name, self.key)

    def ratio(self, result):
        """proxyd divided by the better of the others."""
        own = self.read(result, "proxyd")
        others = [self.read(result, name) for name in result.runs if name != "proxyd"]
        others = [value for value in others if value]
        if own is None or not others:
            return None
        return own / (min(others) if self.less_is_better else max(others))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One scenario against another, within one proxy."""
    one: str
    other: str
    label: str
    text: str
    factor: float = 1  # times CPU of the one over CPU of the other
    without: str = ""  # a scenario whose CPU is taken off both
    at_least: float | None = None  # proxyd's mark

    def value(self, results, name):
        found = {result.scenario.name: result.median(name, "cpu_us") for result in results}
        one, other = found[self.one], found[self.other]
        less = found[self.without] if self.without else 0
        if None in (one, other, less) or other <= less:
            return None
        return self.factor * (one - less) / (other - less)

    def is_in(self, names):
        return {self.one, self.other} | ({self.without} if self.without else set()) <= set(names)


def comparisons(results):
    """Of the scenarios that were measured."""
    names = [result.scenario.name for result in results]
    pairs = [Comparison(many, f"{kind}-1", f"{many} / {kind}-1", "CPU of the one / of the other")
             for kind in ("hosts", "peers") for many in names
             if many.startswith(f"{kind}-") and many != f"{kind}-1"]
    for version in ("1.3", "1.2"):
        full, resumed = f"tls_handshake-{version}", f"tls_resumed-{version}"
        text = "CPU of the one / of the other"
        pairs += [Comparison(full, resumed, f"TLS {version}, full / resumed", text, at_least=3),
                  Comparison(full, resumed, f"TLS {version}, the same, each less tls_bare", text,
                             without="tls_bare", at_least=3)]
    pairs.append(Comparison("tls_workers-1", "tls_workers-2", "2 x tls_workers-1 / tls_workers-2",
                            "two workers do so many times the handshakes of one",
                            factor=2, at_least=1.8))
    return [pair for pair in pairs if pair.is_in(names)]
