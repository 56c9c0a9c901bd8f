"""The loads. Each is the same for every proxy."""

import dataclasses

NGINX_HAPROXY = ("nginx", "haproxy")
ALL_OTHERS = (*NGINX_HAPROXY, "nghttpx", "h2o")
MANY_PEERS = 16


@dataclasses.dataclass(frozen=True)
class Mark:
    """What proxyd has to reach: a measured value, or its ratio to the best of the others."""
    key: str
    limit: float
    is_ratio: bool = True


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    text: str
    size: int = 128
    connections: int = 64
    streams: int = 1  # of each connection; several: h2load makes the load
    mode: tuple = ("plain",)  # arguments of load.lua; of bench_handshakes where kind says so
    access_log: bool = False
    hosts: int = 0
    peers: int = 1  # addresses of the origin; several: least_conn, active checks where there are any
    tls: bool = False
    workers: int = 1  # several of them share the cores with the load
    half_of: str = ""  # one of several that are compared with each other
    kind: str = "load"  # load | handshakes | idle | reload
    rivals: tuple = NGINX_HAPROXY
    marks: tuple = ()
    share: float = 1  # of --seconds and --warmup: some need less to be steady
    most_rounds: int = 1000  # where the spread is small and a round is long
    cached: bool = False  # answered from the proxy's cache

    @property
    def path(self):
        return f"/b/{self.size}"

    @property
    def in_flight(self):
        """Requests at once."""
        return self.connections * self.streams

    @property
    def idle_upstream(self):
        """Enough for every proxy to keep a connection to the origin for each request."""
        return 128 if self.kind == "idle" else max(128, self.in_flight)

    @property
    def shares_cores(self):
        return self.half_of == "tls_workers"

    def takes(self, name):
        return name == "proxyd" or name in self.rivals


def cpu_mark(limit):
    return (Mark("cpu_us", limit),)


def plain_scenarios(idle_connections, many_hosts):
    return [
        Scenario("small", "128 B, 64 connections"),
        Scenario("browser", "1 KiB, a browser's header lines, access log on, 64 connections",
                 size=1024, mode=("browser",), access_log=True),
        Scenario("64k", "64 KiB, 64 connections", size=65536),
        Scenario("1m", "1 MiB, 64 connections", size=1048576),
        Scenario("c2000", "128 B, 2,000 connections", connections=2000),
        Scenario("newconn", "128 B, a new connection for each request, 64 at a time",
                 mode=("close",)),
        Scenario("cache_1k", "1 KiB from the cache, 64 connections", size=1024, cached=True,
                 marks=cpu_mark(0.80)),
        Scenario("cache_64k", "64 KiB from the cache, 64 connections", size=65536, cached=True,
                 marks=cpu_mark(0.90)),
        Scenario("hosts-1", f"128 B, one host with 10 locations, {many_hosts:,} names asked",
                 mode=("hosts", str(many_hosts)), hosts=1, half_of="hosts"),
        Scenario(f"hosts-{many_hosts}",
                 f"128 B, {many_hosts:,} hosts with 10 locations each, the same load",
                 mode=("hosts", str(many_hosts)), hosts=many_hosts, half_of="hosts"),
        Scenario("peers-1", "128 B, 64 connections, one peer", half_of="peers"),
        Scenario(f"peers-{MANY_PEERS}",
                 f"the same, least_conn over {MANY_PEERS} peers, active checks every second",
                 peers=MANY_PEERS, half_of="peers"),
        Scenario("idle",
                 f"{idle_connections:,} idle keepalive connections, one request made on each",
                 connections=idle_connections, kind="idle", most_rounds=3),
    ]


def handshake_scenarios():
    def handshakes(name, text, *mode, **more):
        return Scenario(name, f"{text}, 16 at a time", connections=16, tls=True,
                        kind="handshakes", mode=mode, share=0.5, **more)

    full, resumed = "full handshakes, ECDSA P-256", "resumed handshakes"
    return [
        handshakes("tls_handshake-1.3", f"TLS 1.3, {full}", "--version", "13",
                   half_of="tls_handshakes", marks=cpu_mark(1.0)),
        handshakes("tls_resumed-1.3", f"TLS 1.3, {resumed} (with a key exchange)",
                   "--version", "13", "--resume", "1", half_of="tls_handshakes"),
        handshakes("tls_handshake-1.2", f"TLS 1.2, {full}", "--version", "12",
                   half_of="tls_handshakes", marks=cpu_mark(1.0)),
        handshakes("tls_resumed-1.2", f"TLS 1.2, {resumed} (without a key exchange)",
                   "--version", "12", "--resume", "1", half_of="tls_handshakes"),
        handshakes("tls_bare", "connections to the TLS port that end without a handshake",
                   "--version", "0", half_of="tls_handshakes"),
        handshakes("tls_workers-1", f"TLS 1.3, {full}, one worker on the load's cores",
                   half_of="tls_workers"),
        handshakes("tls_workers-2", f"TLS 1.3, {full}, two workers on the load's cores",
                   workers=2, half_of="tls_workers"),
    ]


def tls_scenarios(idle_connections, many_hosts):
    return [
        Scenario("tls_small", "TLS 1.3, HTTP/1.1, 128 B, 64 connections", tls=True,
                 marks=cpu_mark(0.95)),
        Scenario("tls_64k", "TLS 1.3, HTTP/1.1, 64 KiB, 64 connections", size=65536, tls=True,
                 marks=cpu_mark(0.95)),
        Scenario("h2_small", "HTTP/2 over TLS 1.3, 128 B, 8 connections with 32 streams each",
                 connections=8, streams=32, tls=True, rivals=ALL_OTHERS, marks=cpu_mark(1.0)),
        Scenario("h2_64k", "HTTP/2 over TLS 1.3, 64 KiB, 8 connections with 32 streams each",
                 size=65536, connections=8, streams=32, tls=True, rivals=ALL_OTHERS,
                 marks=cpu_mark(1.0)),
        *handshake_scenarios(),
        Scenario("idle_tls",
                 f"{idle_connections:,} idle TLS 1.3 connections, one HTTP/1.1 request made on each",
                 connections=idle_connections, tls=True, kind="idle", rivals=ALL_OTHERS,
                 marks=(Mark("each", 16 * 1024, is_ratio=False), Mark("each", 1.0)),
                 most_rounds=1),
        Scenario("hosts_tls",
                 f"{many_hosts:,} hosts with a certificate each; a reload while one client asks "
                 "200 times a second", hosts=many_hosts, tls=True, kind="reload",
                 rivals=("nginx",), most_rounds=1,
                 marks=(Mark("rss", 300 * 2**20, is_ratio=False),
                        Mark("reload_s", 5, is_ratio=False),
                        Mark("stall_ms", 50, is_ratio=False))),
    ]


def all_scenarios(idle_connections, idle_tls_connections, many_hosts):
    return plain_scenarios(idle_connections, many_hosts) + \
        tls_scenarios(idle_tls_connections, many_hosts)


def choose(scenarios, names):
    """Those named ("hosts" stands for both of its halves), and the names nobody knows."""
    def is_named(scenario):
        return scenario.name in names or scenario.name.split("-")[0] in names

    known = {s.name for s in scenarios} | {s.name.split("-")[0] for s in scenarios}
    return [s for s in scenarios if is_named(s)], sorted(set(names) - known)


def in_groups(chosen):
    """Lists of what is measured in turn: those that are compared together, others alone."""
    groups = {}
    for scenario in chosen:
        groups.setdefault(scenario.half_of or scenario.name, []).append(scenario)
    return list(groups.values())
