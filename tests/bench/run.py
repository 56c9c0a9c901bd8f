#!/usr/bin/env python3
"""Runs proxyd, nginx and HAProxy in turn under the same load and compares what they cost.

Needs nginx, haproxy, wrk and strace (setup.sh installs them). See README.md.
"""

import argparse
import dataclasses
import fcntl
import http.client
import json
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays clean

import kernel  # noqa: E402
import proxies  # noqa: E402
import report  # noqa: E402
import scenarios  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LOCK = "/tmp/proxyd-bench.lock"
START_SECONDS = 180  # 10,000 hosts take a while to read
SETTLE_SECONDS = 4   # an idle connection may take a second or two to give its buffers back


class BenchError(Exception):
    """Something that makes a measurement impossible, in words for the operator."""


class Stopped(BenchError):
    """A signal or the limit of time: nothing more is measured."""


@dataclasses.dataclass
class Setup:
    """What stays the same for the whole run."""
    children: kernel.Children
    origin: str
    directory: str
    proxy_core: int
    load_core: int
    seconds: float
    warmup: float
    noise_limit: float
    repeats: int


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="SCENARIO,..",
                        help="small browser 64k 1m c2000 newconn hosts idle")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of one timed run")
    parser.add_argument("--warmup", type=float, default=1, help="load before each timed run")
    parser.add_argument("--peers", default="proxyd,nginx,haproxy", metavar="NAME,..")
    parser.add_argument("--proxyd", default=os.path.join(ROOT, "build/release/proxyd"),
                        metavar="PATH")
    parser.add_argument("--cores", default="0,1", metavar="PROXY,LOAD",
                        help="core of the proxy, core of load and origin")
    parser.add_argument("--hosts", type=int, default=10000,
                        help="hosts of the second half of the hosts scenario")
    parser.add_argument("--idle-connections", type=int, default=8000)
    parser.add_argument("--no-strace", action="store_true", help="skip counting system calls")
    parser.add_argument("--noise-limit", type=float, default=10, metavar="PERCENT",
                        help="share of a core that others may take before a run is repeated")
    parser.add_argument("--repeats", type=int, default=1,
                        help="how often one noisy run may be repeated")
    parser.add_argument("--limit-minutes", type=float, default=90, help="end of it all")
    parser.add_argument("--lock-seconds", type=float, default=3600,
                        help="how long to wait for another benchmark to end")
    parser.add_argument("--markdown", metavar="FILE", help="write the whole table")
    parser.add_argument("--json", metavar="FILE", help="write every single run")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def take_lock(seconds):
    """The returned file holds the lock until the process ends."""
    file = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    end = time.monotonic() + seconds
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > end:
                raise BenchError(f"another benchmark holds {LOCK}") from None
            if not told:
                say("waiting for another benchmark to end")
                told = True
            time.sleep(1)


def find_origin(proxyd, directory):
    """The one built next to proxyd, or one compiled now."""
    built = os.path.join(os.path.dirname(os.path.abspath(proxyd)), "tests/bench/bench_origin")
    source = os.path.join(HERE, "origin.cpp")
    if os.access(built, os.X_OK) and os.path.getmtime(built) >= os.path.getmtime(source):
        return built
    target = os.path.join(directory, "bench_origin")
    subprocess.run(["g++", "-std=c++20", "-O2", source, "-o", target], check=True, timeout=120)
    return target


def free_port():
    """Below the range of outgoing ports, so no client connection takes it in between."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise BenchError("no free port between 20000 and 32000")


def start_origin(setup, seconds):
    process = setup.children.start([setup.origin, "--port", "0", "--seconds", int(seconds)],
                                   setup.load_core, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    if not line.isdigit():
        raise BenchError("the origin did not start")
    return process, int(line)


def start_proxy(setup, proxy, case):
    command = proxy.prepare(case)
    output = case.log_path if proxy.logs_to_stdout(case) else os.path.join(case.directory, "stdout")
    errors = os.path.join(case.directory, "stderr")
    with open(output, "wb") as out, open(errors, "wb") as err:
        process = setup.children.start(command, setup.proxy_core, proxy.death_signal, stdout=out,
                                       stderr=err)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            with open(errors, errors="replace") as file:
                raise BenchError(f"{proxy.name} did not start:\n{file.read()[-3000:]}")
        try:
            socket.create_connection(("127.0.0.1", case.port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.05)
    raise BenchError(f"{proxy.name} does not listen after {START_SECONDS} s")


def ask(port, path, host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def origin_connections(port):
    return int(ask(port, "/stats")[1].split()[1])


def origin_requests(port):
    return int(ask(port, "/stats")[1].split()[3])


def probe(proxy, case, scenario):
    """One look at the answers before any load; returns the header names that the origin saw."""
    routes = [(None, scenario.path)]
    if case.hosts:
        picks = sorted({0, case.hosts // 2, case.hosts - 1})
        routes = [(proxies.host_name(pick), f"/l{at}{scenario.path}")
                  for pick in picks for at in (0, proxies.LOCATIONS - 1)]
    for host, path in routes:
        status, body = ask(case.port, path, host)
        if status != 200 or len(body) != scenario.size:
            raise BenchError(f"{proxy.name} answers {status} with {len(body)} bytes to {path}")
    if case.hosts:
        return []
    head = ask(case.port, "/echo")[1].decode("latin-1").lower()
    names = [line.split(":")[0] for line in head.splitlines()[1:] if ":" in line]
    missing = [name for name in proxies.FORWARDED if name not in names]
    if missing:
        raise BenchError(f"{proxy.name} does not send {', '.join(missing)} to the origin")
    return names


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


class Stage:
    """One origin and one proxy, fresh for each run so that no run profits from the one before."""

    def __init__(self, setup, proxy, scenario):
        self.setup = setup
        self.proxy = proxy
        self.directory = tempfile.mkdtemp(dir=setup.directory)
        bound = START_SECONDS + setup.warmup + setup.seconds + 300
        self.origin, origin_port = start_origin(setup, bound)
        self.case = proxies.Case(port=free_port(), origin_port=origin_port,
                                 directory=self.directory, connections=scenario.connections,
                                 idle_upstream=128 if scenario.kind == "idle"
                                 else scenario.idle_upstream,
                                 access_log=scenario.access_log, hosts=scenario.hosts,
                                 large=scenario.size >= 65536)
        self.process = None

    def __enter__(self):
        try:
            self.process = start_proxy(self.setup, self.proxy, self.case)
        except BaseException:
            self.__exit__()
            raise
        return self

    def stop_proxy(self):
        process, self.process = self.process, None
        return self.setup.children.stop(process, self.proxy.gentle)

    def __exit__(self, *_):
        if self.process:
            self.setup.children.stop(self.process, signal.SIGKILL)
        self.setup.children.stop(self.origin, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)


def count_calls(setup, proxy, scenario):
    """{name: calls per request} of a short while under strace, whose speed says nothing.

    It begins when all connections stand, and the origin counts the requests of just that while.
    """
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


def measure(setup, proxy, scenario):
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


def run_scenario(setup, chosen, scenario, rounds, with_strace):
    """A proxy that fails here leaves its error in the result; the others go on without it."""
    result = report.Result(scenario, {proxy.name: [] for proxy in chosen}, {}, {})
    rounds = min(rounds, 3) if scenario.kind == "idle" else rounds
    for number in range(rounds):
        for proxy in chosen:
            run = unless_failed(result, proxy, lambda: measure(setup, proxy, scenario))
            if run:
                result.runs[proxy.name].append(run)
                say(f"{scenario.name:12} round {number + 1}  {proxy.name:8} {report.one_line(run)}")
    if with_strace and scenario.kind == "load":
        for proxy in chosen:
            result.calls[proxy.name] = unless_failed(
                result, proxy, lambda: count_calls(setup, proxy, scenario))
    return result


def unless_failed(result, proxy, work):
    if proxy.name in result.errors:
        return None
    try:
        return work()
    except Stopped:
        raise
    except (BenchError, OSError) as error:
        result.errors[proxy.name] = str(error)
        say(f"{result.scenario.name}: {error}")
        return None


def choose_proxies(arguments):
    known = {"proxyd": proxies.Proxyd(os.path.abspath(arguments.proxyd)),
             "nginx": proxies.Nginx(), "haproxy": proxies.Haproxy()}
    chosen = []
    for name in arguments.peers.split(","):
        if name not in known:
            raise BenchError(f"unknown proxy '{name}'; known: {', '.join(known)}")
        if not known[name].path():
            hint = "build it or say --proxyd PATH" if name == "proxyd" else "run setup.sh"
            raise BenchError(f"{name} is not there ({known[name].binary}); {hint}")
        chosen.append(known[name])
    for tool in ("wrk", "taskset"):
        if not shutil.which(tool):
            raise BenchError(f"{tool} is missing; run setup.sh")
    return chosen


def choose_scenarios(arguments):
    everything = scenarios.all_scenarios(arguments.idle_connections, arguments.hosts)
    if not arguments.only:
        return everything
    chosen, unknown = scenarios.choose(everything, arguments.only.split(","))
    if unknown:
        raise BenchError(f"unknown scenario: {', '.join(unknown)}")
    return chosen


def stop_on_signal(number, _frame):
    names = {signal.SIGALRM: "--limit-minutes is over"}
    raise Stopped(names.get(number, "stopped"))


def write_files(arguments, text, results):
    if arguments.markdown:
        with open(arguments.markdown, "w") as file:
            file.write(text)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({r.scenario.name: {"runs": r.runs, "calls": r.calls} for r in results}, file,
                      indent=1)


def bench(arguments, directory, children):
    chosen = choose_proxies(arguments)
    todo = choose_scenarios(arguments)
    lock = take_lock(arguments.lock_seconds)
    signal.setitimer(signal.ITIMER_REAL, arguments.limit_minutes * 60)
    files = kernel.raise_file_limit()
    if any(2 * s.connections + 1000 > files for s in todo if s.kind == "idle"):
        say(f"warning: only {files} open files allowed; the idle scenario may fail")
    proxy_core, load_core = map(int, arguments.cores.split(","))
    os.sched_setaffinity(0, {load_core})
    setup = Setup(children, find_origin(arguments.proxyd, directory), directory, proxy_core,
                  load_core, arguments.seconds, arguments.warmup, arguments.noise_limit / 100,
                  arguments.repeats)
    with_strace = not arguments.no_strace and shutil.which("strace") is not None
    results = []
    try:
        for scenario in todo:
            results.append(run_scenario(setup, chosen, scenario, arguments.rounds, with_strace))
    except Stopped as error:
        say(f"bench: {error}; what was measured so far:")
        signal.setitimer(signal.ITIMER_REAL, 0)
    command = "tests/bench/run.py " + shlex.join(sys.argv[1:])
    text = report.markdown(command.strip(), chosen, results, setup)
    print(text)
    write_files(arguments, text, results)
    os.close(lock)
    return verdict(todo, results)


def verdict(todo, results):
    """0: all measured and valid; 1: some run is void; 2: something was not measured at all."""
    if len(results) < len(todo) or any(result.errors for result in results):
        return 2
    runs = [run for result in results for runs in result.runs.values() for run in runs]
    return 1 if any(is_void(run) for run in runs) else 0


def main():
    arguments = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop_on_signal)
    children = kernel.Children()
    directory = tempfile.mkdtemp(prefix="proxyd-bench-")
    try:
        return bench(arguments, directory, children)
    except (BenchError, OSError, subprocess.SubprocessError) as error:
        say(f"bench: {error}")
        return 2
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        children.stop_all()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
