"""The measurements under load: time on the core, system calls, connections without an answer."""

import os
import time

import idle
import kernel
import load
import reload
from stage import Stage, origin_connections, origin_requests, probe

STUCK_SHARE = 0.4  # of a run: a connection that waits longer for anything is stuck


def count_lines(path):
    lines = 0
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                lines += block.count(b"\n")
    except FileNotFoundError:
        pass
    return lines


class Watch:
    """What proxy, origin and load used of their cores, and what others took of these."""

    def __init__(self, setup, scenario, pids, origin):
        self.pids, self.origin = pids, origin
        self.shared = scenario.shares_cores
        groups = [(setup.proxy_core, setup.load_core)] if self.shared else \
            [(setup.proxy_core,), (setup.load_core,)]
        self.watches = [kernel.CoreWatch(*cores) for cores in groups]
        self.begin = kernel.cpu_seconds(pids), kernel.cpu_seconds([origin.pid])

    def finish(self, load_cpu):
        """(seconds of the proxy, seconds of load and origin, share of others)"""
        proxy = kernel.cpu_seconds(self.pids) - self.begin[0]
        outside = kernel.cpu_seconds([self.origin.pid]) - self.begin[1] + load_cpu
        own = [proxy + outside] if self.shared else [proxy, outside]
        noise = max(w.foreign_share(seconds) for w, seconds in zip(self.watches, own))
        return proxy, outside, noise


def timed_load(setup, proxy, stage, scenario, program, warm):
    """The measurement proper: CPU time before and after, memory shortly before the end."""
    pids = kernel.family(stage.process.pid)
    opened = origin_connections(stage.case.origin_port)
    watch = Watch(setup, scenario, pids, stage.origin)
    seconds = setup.seconds * scenario.share
    process = program.start_timed(seconds, warm)
    time.sleep(0.8 * seconds)
    load_cpu = kernel.cpu_seconds([process.pid]) / 0.8
    memory = kernel.resident_bytes(proxy.serving(pids))
    stuck = count_stuck(setup, stage.case, scenario)
    result = program.finish(process, seconds)
    proxy_cpu, outside_cpu, noise = watch.finish(load_cpu)
    requests = max(1, result["requests"])
    result.update(
        rps=result["requests"] / result["seconds"],
        cpu_us=proxy_cpu / requests * 1e6,
        busy=proxy_cpu / result["seconds"],
        load_busy=outside_cpu / result["seconds"],
        rss=memory,
        noise=noise,
        # The connection that asked for the count is in it.
        opened=origin_connections(stage.case.origin_port) - opened - 1)
    add_bad(result, "stuck", stuck)
    if scenario.kind == "load" and result["bytes"] < result["requests"] * scenario.size:
        result["bad"]["short"] = result["requests"] - result["bytes"] // scenario.size
    return result


def count_stuck(setup, case, scenario):
    """Connections of wrk that got nothing for long, or do not stand: wrk itself would notice only
    after its time limit, which is longer than a run. The other loads wait for every answer."""
    if scenario.kind != "load" or scenario.streams > 1:
        return 0
    silent_for = kernel.client_sockets(case.port)
    stuck = sum(1 for milliseconds in silent_for
                if milliseconds > STUCK_SHARE * setup.seconds * 1000)
    if scenario.mode[0] == "close":  # they come and go
        return stuck
    return stuck + max(0, scenario.connections - len(silent_for))


def add_bad(result, kind, count):
    if count > 0:
        result["bad"][kind] = result["bad"].get(kind, 0) + count


def run_load(setup, proxy, scenario):
    """Starts origin and proxy, measures once, stops both. Returns the result of the run."""
    with Stage(setup, proxy, scenario) as stage:
        names = probe(proxy, stage.case, scenario)
        program = load.program(setup, stage.case, scenario)
        warmup = setup.warmup * scenario.share
        warm = program.finish(program.start(warmup), warmup)
        result = timed_load(setup, proxy, stage, scenario, program, warm)
        result["headers"] = names
        if not stage.stop_proxy():
            add_bad(result, "stop", 1)
        if stage.case.access_log:
            lost = warm["requests"] + result["requests"] - count_lines(stage.case.log_path)
            add_bad(result, "log", lost)
        return result


def count_calls(setup, proxy, scenario):
    """{name: calls per request} of a short while under strace, whose speed says nothing."""
    with Stage(setup, proxy, scenario) as stage:
        program = load.program(setup, stage.case, scenario)
        whole = scenario.cached or scenario.kind == "handshakes"  # nothing reaches the origin
        count = count_for_all if whole else count_amid_load
        calls, requests = count(setup, stage, program)
    if calls is None or requests <= 0:
        return None
    return {name: count / requests for name, count in calls.items()}


def trace(setup, stage):
    return kernel.SystemCalls(setup.children, kernel.family(stage.process.pid), setup.load_core,
                              os.path.join(stage.directory, "strace"))


def count_amid_load(setup, stage, program):
    """Begins when all connections stand; the origin counts the requests of just that while."""
    process = program.start(6)
    time.sleep(1)
    counter = trace(setup, stage)
    begin = origin_requests(stage.case.origin_port)
    time.sleep(1.5)
    requests = origin_requests(stage.case.origin_port) - begin - 1  # the asking is one, too
    calls = counter.finish()
    setup.children.stop(process)
    return calls, requests


def count_for_all(setup, stage, program):
    """Of a whole load: here the beginning and the end of a connection are what is measured."""
    counter = trace(setup, stage)
    result = program.finish(program.start(1), 1)
    return counter.finish(), result["requests"]


def is_void(run):
    return any(run["bad"].values())


def quietest_run(setup, proxy, scenario):
    """One run, repeated when somebody else took much of a core; the quietest one counts."""
    if scenario.kind == "idle":
        return idle.run(setup, proxy, scenario)
    if scenario.kind == "reload":
        return reload.run(setup, proxy, scenario)
    best = None
    for _ in range(1 + setup.repeats):
        run = run_load(setup, proxy, scenario)
        # A bad answer is never repeated away.
        if is_void(run):
            return run
        if best is None or run["noise"] < best["noise"]:
            best = run
        if best["noise"] <= setup.noise_limit:
            break
    return best
