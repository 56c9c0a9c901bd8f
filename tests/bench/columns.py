"""The columns of the tables."""

from results import Column

NOT_THERE = "–"
MIB = 1 / 2**20


def number(digits, scale=1.0):
    return lambda value: NOT_THERE if value is None else f"{value * scale:,.{digits}f}"


def percent(value):
    return NOT_THERE if value is None else f"{value * 100:.0f} %"


def milliseconds(value):
    return NOT_THERE if value is None else f"{value / 1000:.2f} ms"


MEMORY = Column("RSS MiB", "rss", number(1, MIB))


def load_columns(unit):
    return [
        Column(f"{unit}s/s", "rps", number(0), less_is_better=False),
        Column(f"CPU µs/{unit}", "cpu_us", number(2)),
        Column(f"system calls/{unit}", "calls", number(2)),
        Column("p50", "p50_us", milliseconds),
        Column("p99", "p99_us", milliseconds),
        MEMORY,
    ]


DETAILS = {
    "load": load_columns("request"),
    "handshakes": load_columns("handshake"),
    "idle": [
        Column("bytes/connection", "each", number(0)),
        Column("RSS MiB before", "before", number(1, MIB)),
        MEMORY,
    ],
    "reload": [
        MEMORY,
        Column("reload s", "reload_s", number(2)),
        Column("longest wait ms", "stall_ms", number(1)),
        Column("the same before it", "calm_ms", number(1)),
        Column("peak RSS MiB", "peak", number(1, MIB)),
        Column("RSS MiB after", "after", number(1, MIB)),
        Column("reconnects", "reconnects", number(0)),
    ],
}
SUMMARY_KEYS = {
    "load": ["cpu_us", "rps"],
    "handshakes": ["cpu_us"],
    "idle": ["each"],
    "reload": ["rss", "reload_s", "stall_ms"],
}


def details(scenario):
    return DETAILS[scenario.kind]


def summary(scenario):
    by_key = {column.key: column for column in DETAILS[scenario.kind]}
    return [by_key[key] for key in SUMMARY_KEYS[scenario.kind]]
