"""The measurements: timed load, system calls, memory of idle connections."""

import dataclasses
import json
import os
import socket
import subprocess
import time

import kernel
from stage import BenchError, Stage, origin_connections, origin_requests, probe

HERE = os.path.dirname(os.path.abspath(__file__))
SETTLE_SECONDS = 4  # an idle connection may take a second or two to give its buffers back


def start_load(setup, case, scenario, seconds):
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{max(1, round(seconds))}s",
               "--timeout", "10s", "--latency", "-s", os.path.join(HERE, "load.lua"),
               f"http://127.0.0.1:{case.port}{scenario.path}", "--", *scenario.mode]
    return setup.children.start(command, setup.load_core, stdout=subprocess.PIPE, text=True)


def finish_load(setup, load, seconds):
    try:
        output, _ = load.communicate(timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise BenchError("wrk does not end") from None
    finally:
        setup.children.stop(load)
    for line in output.splitlines():
        if line.startswith("bench-result "):
            return json.loads(line.removeprefix("bench-result "))
    raise BenchError(f"wrk says nothing:\n{output[-2000:]}")


def count_lines(path):
    lines = 0
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                lines += block.count(b"\n")
    except FileNotFoundError:
        pass
    return lines


def timed_load(setup, process, origin, case, scenario):
    """The measurement proper: CPU time before and after, memory shortly before the end."""
    pids = kernel.family(process.pid)
    opened = origin_connections(case.origin_port)
    watches = [kernel.CoreWatch(setup.proxy_core), kernel.CoreWatch(setup.load_core)]
    proxy_cpu, origin_cpu = kernel.cpu_seconds(pids), kernel.cpu_seconds([origin.pid])
    load = start_load(setup, case, scenario, setup.seconds)
    time.sleep(0.8 * setup.seconds)
    load_cpu = kernel.cpu_seconds([load.pid]) / 0.8
    memory = kernel.resident_bytes(serving(pids))
    result = finish_load(setup, load, setup.seconds)
    proxy_cpu = kernel.cpu_seconds(pids) - proxy_cpu
    origin_cpu = kernel.cpu_seconds([origin.pid]) - origin_cpu
    noise = [watches[0].foreign_share(proxy_cpu), watches[1].foreign_share(origin_cpu + load_cpu)]
    requests = max(1, result["requests"])
    result.update(
        rps=result["requests"] / result["seconds"],
        cpu_us=proxy_cpu / requests * 1e6,
        busy=proxy_cpu / result["seconds"],
        load_busy=(origin_cpu + load_cpu) / result["seconds"],
        rss=memory,
        noise=max(noise),
        # The connection that asked for the count is in it.
        opened=origin_connections(case.origin_port) - opened - 1)
    if result["bytes"] < result["requests"] * scenario.size:
        result["bad"]["short"] = result["requests"] - result["bytes"] // scenario.size
    return result


def serving(pids):
    """The processes that serve; nginx's master only waits and shares its pages with the worker."""
    return pids[1:] or pids


def run_load(setup, proxy, scenario):
    """Starts origin and proxy, measures once, stops both. Returns the result of the run."""
    with Stage(setup, proxy, scenario) as stage:
        names = probe(proxy, stage.case, scenario)
        warm = finish_load(setup, start_load(setup, stage.case, scenario, setup.warmup),
                           setup.warmup)
        result = timed_load(setup, stage.process, stage.origin, stage.case, scenario)
        result["headers"] = names
        stopped = stage.stop_proxy()
        if not stopped:
            result["bad"]["stop"] = 1
        if stage.case.access_log:
            lost = warm["requests"] + result["requests"] - count_lines(stage.case.log_path)
            if lost > 0:
                result["bad"]["log"] = lost
        return result


def count_calls(setup, proxy, scenario):
    """{name: calls per request} of a short while under strace, whose speed says nothing.

    It begins when all connections stand, and the origin counts the requests of just that while.
    """
    if scenario.cached:
        return count_cached_calls(setup, proxy, scenario)
    with Stage(setup, proxy, scenario) as stage:
        load = start_load(setup, stage.case, scenario, 6)
        time.sleep(1.5)
        counter = kernel.SystemCalls(setup.children, kernel.family(stage.process.pid),
                                     setup.load_core, os.path.join(stage.directory, "strace"))
        begin = origin_requests(stage.case.origin_port)
        time.sleep(2.5)
        requests = origin_requests(stage.case.origin_port) - begin - 1  # the asking is one, too
        calls = counter.finish()
        finish_load(setup, load, 6)
    if calls is None or requests <= 0:
        return None
    return {name: count / requests for name, count in calls.items()}


def count_cached_calls(setup, proxy, scenario):
    """The same where the origin sees nothing: the whole load is counted, its connections too."""
    with Stage(setup, proxy, scenario) as stage:
        probe(proxy, stage.case, scenario)
        counter = kernel.SystemCalls(setup.children, kernel.family(stage.process.pid),
                                     setup.load_core, os.path.join(stage.directory, "strace"))
        result = finish_load(setup, start_load(setup, stage.case, scenario, 3), 3)
        calls = counter.finish()
    if calls is None or result["requests"] <= 0:
        return None
    return {name: count / result["requests"] for name, count in calls.items()}


def hold_connections(case, scenario, held):
    """Opens one connection after the other and makes one request on each."""
    request = f"GET {scenario.path} HTTP/1.1\r\nHost: bench.example\r\n\r\n".encode()
    for index in range(scenario.connections):
        client = socket.socket()
        held.append(client)
        client.settimeout(10)
        client.bind((f"127.0.0.{1 + index // 4000}", 0))
        client.connect(("127.0.0.1", case.port))
        client.sendall(request)
        status, body = read_answer(client, scenario.size)
        if status != b"200" or len(body) != scenario.size:
            raise BenchError(f"connection {index} got {status!r} with {len(body)} bytes")


def read_answer(client, size):
    answer = b""
    while len(answer.partition(b"\r\n\r\n")[2]) < size:
        piece = client.recv(65536)
        if not piece:
            raise BenchError("a connection was closed instead of answered")
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1], body


def still_open(held):
    count = 0
    for client in held:
        client.setblocking(False)
        try:
            client.recv(1)
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def run_idle(setup, proxy, scenario):
    """Memory of idle connections: resident size with all of them minus the size before."""
    held = []
    with Stage(setup, proxy, scenario) as stage:
        try:
            names = probe(proxy, stage.case, scenario)
            pids = serving(kernel.family(stage.process.pid))
            hold_connections(stage.case, dataclasses.replace(scenario, connections=64), held)
            time.sleep(1)
            before = kernel.resident_bytes(pids)
            held_before = len(held)
            hold_connections(stage.case, scenario, held)
            time.sleep(SETTLE_SECONDS)
            after = kernel.resident_bytes(pids)
            closed = len(held) - still_open(held)
        finally:
            for client in held:
                client.close()
    count = len(held) - held_before
    return {"before": before, "rss": after, "each": (after - before) / count, "noise": 0.0,
            "headers": names, "bad": {"closed": closed}}


def is_void(run):
    return any(run["bad"].values())


def quietest_run(setup, proxy, scenario):
    """One run, repeated when somebody else took much of a core; the quietest one counts."""
    best = None
    for _ in range(1 + setup.repeats):
        if scenario.kind == "idle":
            return run_idle(setup, proxy, scenario)
        run = run_load(setup, proxy, scenario)
        # A bad answer is never repeated away.
        if is_void(run):
            return run
        if best is None or run["noise"] < best["noise"]:
            best = run
        if best["noise"] <= setup.noise_limit:
            break
    return best
