"""The programs that make the load: wrk, h2load and bench_handshakes, and what they say.

Over TLS all of them offer the same and nothing else, so that no proxy's taste decides what is
compared: TLS 1.3, AES-128-GCM, X25519 (bench_handshakes also TLS 1.2).
"""

import json
import os
import re
import signal
import subprocess

from case import NAME
from stage import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = "TLS_AES_128_GCM_SHA256"
GROUPS = "X25519:P-256"  # the second one is for certificates
OPENSSL_CONF = f"""\
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1.3
Ciphersuites = {SUITE}
Groups = {GROUPS}
"""


class Timed:
    """A program that makes load for a time and then says what became of it."""

    def __init__(self, setup, case, scenario):
        self.setup, self.case, self.scenario = setup, case, scenario

    def start(self, seconds):
        raise NotImplementedError

    def start_timed(self, seconds, _warm):
        """The same for the run that counts; warm is the result of the one before."""
        return self.start(seconds)

    def finish(self, process, seconds):
        return result_line(output_of(self.setup, process, seconds + 60))


class Wrk(Timed):
    """HTTP/1.1."""

    def start(self, seconds):
        environment = dict(os.environ)
        scheme = "http"
        if self.case.tls:
            scheme = "https"
            path = environment["OPENSSL_CONF"] = os.path.join(self.case.directory, "openssl.cnf")
            with open(path, "w") as file:
                file.write(OPENSSL_CONF)
        command = ["wrk", "-t1", f"-c{self.scenario.connections}", f"-d{whole(seconds)}s",
                   "--timeout", "10s", "--latency", "-s", os.path.join(HERE, "load.lua"),
                   f"{scheme}://127.0.0.1:{self.case.port}{self.scenario.path}", "--",
                   *self.scenario.mode]
        return start(self.setup, self.scenario, command, env=environment)


class Handshakes(Timed):
    """TLS handshakes without a request."""

    def start(self, seconds):
        command = [self.setup.handshakes, "--port", self.case.port, "--connections",
                   self.scenario.connections, "--milliseconds", max(1, round(seconds * 1000)),
                   *self.scenario.mode]
        return start(self.setup, self.scenario, command)


class H2load(Timed):
    """HTTP/2: a number of requests, because only then a stream without an answer is noticed."""

    def __init__(self, setup, case, scenario):
        super().__init__(setup, case, scenario)
        self.log = os.path.join(case.directory, "h2load.log")
        self.wanted = 0

    def start(self, seconds):
        self.wanted = 0
        return self._start("-D", f"{whole(seconds)}s")

    def start_timed(self, seconds, warm):
        each = max(1, int(warm["requests"] / warm["seconds"] * seconds / self.scenario.connections))
        self.wanted = each * self.scenario.connections
        return self._start("-n", self.wanted, f"--log-file={self.log}")

    def _start(self, *amount):
        if os.path.exists(self.log):
            os.remove(self.log)
        command = ["h2load", "-t1", "-c", self.scenario.connections, "-m", self.scenario.streams,
                   f"--tls13-ciphers={SUITE}", f"--groups={GROUPS}", *amount,
                   f"--connect-to=127.0.0.1:{self.case.port}",
                   f"https://{NAME}{self.scenario.path}"]
        return start(self.setup, self.scenario, command)

    def finish(self, process, seconds):
        try:
            output = output_of(self.setup, process, 3 * seconds + 10)
        except NoEnd:
            if not self.wanted:
                raise
            # Some streams never got an answer. What was measured is void.
            got = len(read_log(self.log))
            return {"requests": got, "seconds": seconds, "bytes": got * self.scenario.size,
                    "p50_us": 0, "p99_us": 0, "bad": {"stuck": max(1, self.wanted - got)}}
        result = parse_h2load(output)
        latencies = sorted(read_log(self.log))
        result.update(p50_us=percentile(latencies, 50), p99_us=percentile(latencies, 99))
        return result


class NoEnd(BenchError):
    pass


def program(setup, case, scenario):
    if scenario.kind == "handshakes":
        return Handshakes(setup, case, scenario)
    return (H2load if scenario.streams > 1 else Wrk)(setup, case, scenario)


def whole(seconds):
    return max(1, round(seconds))


def start(setup, scenario, command, **options):
    return setup.children.start(command, setup.load_cores(scenario), stdout=subprocess.PIPE,
                                text=True, **options)


def output_of(setup, process, seconds):
    try:
        output, _ = process.communicate(timeout=seconds)
        return output
    except subprocess.TimeoutExpired:
        raise NoEnd("the load does not end") from None
    finally:
        setup.children.stop(process, signal.SIGKILL)


def result_line(output):
    for line in output.splitlines():
        if line.startswith("bench-result "):
            return json.loads(line.removeprefix("bench-result "))
    raise BenchError(f"the load says nothing:\n{output[-2000:]}")


def parse_h2load(output):
    """The last lines of h2load; without the latencies, which are in its log."""
    finished = re.search(r"^finished in ([\d.]+)(us|ms|s),", output, re.M)
    requests = re.search(r"^requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, "
                         r"(\d+) timeout", output, re.M)
    data = re.search(r"^traffic: .*\((\d+)\) data", output, re.M)
    protocol = re.search(r"^Application protocol: (\S+)", output, re.M)
    if not (finished and requests and data and protocol):
        raise BenchError(f"h2load says nothing:\n{output[-2000:]}")
    if protocol.group(1) != "h2":
        raise BenchError(f"HTTP/2 was not agreed on, but {protocol.group(1)}")
    done, succeeded, failed, errored, timeout = map(int, requests.groups())
    seconds = float(finished.group(1)) / {"us": 1e6, "ms": 1e3, "s": 1}[finished.group(2)]
    return {"requests": succeeded, "seconds": seconds, "bytes": int(data.group(1)),
            "bad": {"status": done - succeeded, "failed": failed, "errored": errored,
                    "timeout": timeout}}


def read_log(path):
    """Microseconds of each request."""
    try:
        with open(path) as file:
            return [int(line.rsplit("\t", 1)[1]) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def percentile(ordered, percent):
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0
