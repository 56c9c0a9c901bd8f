"""The loads. Each is the same for every proxy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    text: str
    size: int = 128
    connections: int = 64
    mode: tuple = ("plain",)  # arguments of load.lua
    access_log: bool = False
    hosts: int = 0
    peers: int = 1  # addresses of the origin; several: least_conn, active checks where there are any
    cached: bool = False  # answered from the proxy's cache
    half_of: str = ""  # one of two that are compared with each other
    kind: str = "load"  # load | idle

    @property
    def path(self):
        return f"/b/{self.size}"

    @property
    def idle_upstream(self):
        """Enough for every proxy to keep a connection to the origin for each client."""
        return max(128, self.connections)


MANY_PEERS = 16


def all_scenarios(idle_connections, many_hosts):
    return [
        Scenario("small", "128 B, 64 connections"),
        Scenario("browser", "1 KiB, a browser's header lines, access log on, 64 connections",
                 size=1024, mode=("browser",), access_log=True),
        Scenario("64k", "64 KiB, 64 connections", size=65536),
        Scenario("1m", "1 MiB, 64 connections", size=1048576),
        Scenario("c2000", "128 B, 2,000 connections", connections=2000),
        Scenario("newconn", "128 B, a new connection for each request, 64 at a time",
                 mode=("close",)),
        Scenario("cache_1k", "1 KiB from the cache, 64 connections", size=1024, cached=True),
        Scenario("cache_64k", "64 KiB from the cache, 64 connections", size=65536, cached=True),
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
                 connections=idle_connections, kind="idle"),
    ]


def choose(scenarios, names):
    """Those named ("hosts" stands for both of its halves), and the names nobody knows."""
    def is_named(scenario):
        return scenario.name in names or scenario.name.split("-")[0] in names

    known = {s.name for s in scenarios} | {s.name.split("-")[0] for s in scenarios}
    return [s for s in scenarios if is_named(s)], sorted(set(names) - known)


def in_pairs(chosen):
    """Lists of what is measured in turn: the halves that are compared together, others alone."""
    groups = {}
    for scenario in chosen:
        groups.setdefault(scenario.half_of or scenario.name, []).append(scenario)
    return list(groups.values())
