#!/usr/bin/env python3
"""Runs proxyd, nginx, HAProxy, nghttpx and h2o in turn under the same load and compares the cost.

Needs them, wrk, h2load and strace (setup.sh installs all). See README.md.
"""

import argparse
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays clean

import kernel  # noqa: E402
import measure  # noqa: E402
import proxies  # noqa: E402
import report  # noqa: E402
import scenarios  # noqa: E402
from case import NAME  # noqa: E402
from results import Result  # noqa: E402
from stage import BenchError, Setup  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LOCK = "/tmp/proxyd-bench.lock"


class Stopped(BenchError):
    """A signal or the limit of time: nothing more is measured."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="SCENARIO,..",
                        help="small browser 64k 1m cache_1k cache_64k c2000 newconn hosts peers idle tls_small "
                             "tls_64k h2_small h2_64k tls_handshake tls_resumed tls_bare "
                             "tls_workers idle_tls hosts_tls")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of one timed run")
    parser.add_argument("--warmup", type=float, default=1, help="load before each timed run")
    parser.add_argument("--peers", default="proxyd,nginx,haproxy,nghttpx,h2o", metavar="NAME,..")
    parser.add_argument("--proxyd", default=os.path.join(ROOT, "build/release/proxyd"),
                        metavar="PATH")
    parser.add_argument("--cores", default="0,1", metavar="PROXY,LOAD",
                        help="core of the proxy, core of load and origin")
    parser.add_argument("--hosts", type=int, default=10000,
                        help="hosts of hosts_tls and of the second half of hosts")
    parser.add_argument("--idle-connections", type=int, default=8000)
    parser.add_argument("--idle-tls-connections", type=int, default=3000)
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


def find_tool(name, proxyd, directory):
    """The one built next to proxyd, or one compiled now."""
    built = os.path.join(os.path.dirname(os.path.abspath(proxyd)), "tests/bench", f"bench_{name}")
    source = os.path.join(HERE, f"{name}.cpp")
    if os.access(built, os.X_OK) and os.path.getmtime(built) >= os.path.getmtime(source):
        return built
    target = os.path.join(directory, f"bench_{name}")
    subprocess.run(["g++", "-std=c++20", "-O2", source, "-o", target, "-lssl", "-lcrypto"],
                   check=True, timeout=120)
    return target


def make_certificates(tool, directory, chosen):
    """Returns their directory: one for all cases with TLS, and those of the many hosts."""
    path = os.path.join(directory, "certificates")
    os.mkdir(path)
    hosts = max((scenario.hosts for scenario in chosen if scenario.tls), default=0)
    if any(scenario.tls for scenario in chosen):
        subprocess.run([tool, path, NAME], check=True, timeout=60)
    if hosts:
        subprocess.run([tool, path, "--hosts", str(hosts)], check=True, timeout=300)
    return path


def run_together(setup, chosen, together, rounds, with_strace):
    """Scenarios that are compared with each other take turns in each round, as the proxies do.

    A proxy that fails here leaves its error in the result; the others go on without it.
    """
    results = [Result(scenario, {p.name: [] for p in chosen if scenario.takes(p.name)}, {}, {})
               for scenario in together]
    for number in range(min(rounds, together[0].most_rounds)):
        for proxy, result in in_turn(chosen, results):
            run = unless_failed(
                result, proxy, lambda: measure.quietest_run(setup, proxy, result.scenario))
            if run:
                result.runs[proxy.name].append(run)
                say(f"{result.scenario.name:17} round {number + 1}  {proxy.name:8} "
                    f"{report.one_line(run)}")
    for proxy, result in in_turn(chosen, results):
        if with_strace and result.scenario.kind in ("load", "handshakes"):
            result.calls[proxy.name] = unless_failed(
                result, proxy, lambda: measure.count_calls(setup, proxy, result.scenario))
    return results


def in_turn(chosen, results):
    return [(proxy, result) for proxy in chosen for result in results if proxy.name in result.runs]


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


def choose_proxies(arguments, todo):
    """Those that were asked for and that some scenario takes."""
    known = proxies.known_proxies(os.path.abspath(arguments.proxyd))
    chosen = []
    for name in arguments.peers.split(","):
        if name not in known:
            raise BenchError(f"unknown proxy '{name}'; known: {', '.join(known)}")
        if not any(scenario.takes(name) for scenario in todo):
            continue
        if not known[name].path():
            hint = "build it or say --proxyd PATH" if name == "proxyd" else "run setup.sh"
            raise BenchError(f"{name} is not there ({known[name].binary}); {hint}")
        chosen.append(known[name])
    h2load = ["h2load"] if any(scenario.streams > 1 for scenario in todo) else []
    for tool in ("wrk", "taskset", "ss", *h2load):
        if not shutil.which(tool):
            raise BenchError(f"{tool} is missing; run setup.sh")
    return chosen


def choose_scenarios(arguments):
    everything = scenarios.all_scenarios(arguments.idle_connections,
                                         arguments.idle_tls_connections, arguments.hosts)
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
    todo = choose_scenarios(arguments)
    chosen = choose_proxies(arguments, todo)
    lock = take_lock(arguments.lock_seconds)
    signal.setitimer(signal.ITIMER_REAL, arguments.limit_minutes * 60)
    files = kernel.raise_file_limit()
    if any(2 * s.connections + 1000 > files for s in todo if s.kind == "idle"):
        say(f"warning: only {files} open files allowed; the idle scenario may fail")
    proxy_core, load_core = map(int, arguments.cores.split(","))
    os.sched_setaffinity(0, {load_core})
    tools = {name: find_tool(name, arguments.proxyd, directory)
             for name in ("origin", "handshakes", "certificates")}
    setup = Setup(children, tools["origin"], tools["handshakes"],
                  make_certificates(tools["certificates"], directory, todo), directory,
                  proxy_core, load_core, arguments.seconds, arguments.warmup,
                  arguments.noise_limit / 100, arguments.repeats)
    with_strace = not arguments.no_strace and shutil.which("strace") is not None
    results = []
    try:
        for together in scenarios.in_groups(todo):
            results += run_together(setup, chosen, together, arguments.rounds, with_strace)
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
    return 1 if any(measure.is_void(run) for run in runs) else 0


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
