"""One origin and one proxy, started for one run and gone after it."""

import dataclasses
import http.client
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import kernel
from case import FORWARDED, LOCATIONS, NAME, Case, host_name

START_SECONDS = 180  # 10,000 hosts take a while to read


class BenchError(Exception):
    """Something that makes a measurement impossible, in words for the operator."""


@dataclasses.dataclass
class Setup:
    """What stays the same for the whole run."""
    children: kernel.Children
    origin: str
    handshakes: str
    certificates: str  # directory
    directory: str
    proxy_core: int
    load_core: int
    seconds: float
    warmup: float
    noise_limit: float
    repeats: int

    def both_cores(self):
        return f"{self.proxy_core},{self.load_core}"

    def proxy_cores(self, scenario):
        return self.both_cores() if scenario.shares_cores else self.proxy_core

    def load_cores(self, scenario):
        return self.both_cores() if scenario.shares_cores else self.load_core


class Stage:
    """One origin and one proxy, fresh for each run so that no run profits from the one before."""

    def __init__(self, setup, proxy, scenario):
        self.setup = setup
        self.proxy = proxy
        self.directory = tempfile.mkdtemp(dir=setup.directory)
        bound = START_SECONDS + setup.warmup + setup.seconds + 300
        self.origin, origin_port = start_origin(setup, bound, scenario.peers, scenario.cached)
        self.case = Case(port=free_port(), origin_port=origin_port, directory=self.directory,
                         connections=scenario.connections, idle_upstream=scenario.idle_upstream,
                         access_log=scenario.access_log, hosts=scenario.hosts,
                         peers=scenario.peers, large=scenario.size >= 65536, tls=scenario.tls,
                         certificates=setup.certificates, workers=scenario.workers,
                         cached=scenario.cached)
        self.cores = setup.proxy_cores(scenario)
        self.process = None

    def __enter__(self):
        try:
            self.process = start_proxy(self.setup, self.proxy, self.case, self.cores)
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


def start_origin(setup, seconds, addresses, cached=False):
    process = setup.children.start([setup.origin, "--port", "0", "--addresses", addresses,
                                    "--max-age", 3600 if cached else 0,
                                    "--seconds", int(seconds)],
                                   setup.load_core, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline().strip()
    if not line.isdigit():
        raise BenchError("the origin did not start")
    return process, int(line)


def start_proxy(setup, proxy, case, cores):
    command = proxy.prepare(case)
    output = case.log_path if proxy.logs_to_stdout(case) else os.path.join(case.directory, "stdout")
    errors = os.path.join(case.directory, "stderr")
    with open(output, "wb") as out, open(errors, "wb") as err:
        process = setup.children.start(command, cores, proxy.death_signal, stdout=out, stderr=err)
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


def client_context(protocol="http/1.1"):
    """Trusts anybody: what is looked at is what the proxy does, not who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols([protocol])
    return context


def connect_tls(port, name=NAME, protocol="http/1.1", source=None):
    plain = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=source)
    try:
        return client_context(protocol).wrap_socket(plain, server_hostname=name)
    except OSError:
        plain.close()
        raise


def ask(port, path, host=None, tls=False):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    if tls:
        connection.sock = connect_tls(port, host or NAME)
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
    for host, path in probed_routes(case, scenario):
        status, body = ask(case.port, path, host, case.tls)
        if status != 200 or len(body) != scenario.size:
            raise BenchError(f"{proxy.name} answers {status} with {len(body)} bytes to {path}")
    if scenario.streams > 1:
        probe_http2(proxy, case)
    if case.hosts:
        return []
    head = ask(case.port, "/echo", NAME if case.tls else None, case.tls)[1]
    names = [line.split(":")[0] for line in head.decode("latin-1").lower().splitlines()[1:]
             if ":" in line]
    missing = [name for name in FORWARDED if name not in names]
    if missing:
        raise BenchError(f"{proxy.name} does not send {', '.join(missing)} to the origin")
    return names


def probed_routes(case, scenario):
    """[(host, path)]"""
    if not case.hosts:
        return [(NAME if case.tls else None, scenario.path)]
    hosts = [host_name(pick) for pick in sorted({0, case.hosts // 2, case.hosts - 1})]
    prefixes = [""] if case.tls else ["/l0", f"/l{LOCATIONS - 1}"]
    return [(host, prefix + scenario.path) for host in hosts for prefix in prefixes]


def probe_http2(proxy, case):
    with connect_tls(case.port, protocol="h2") as client:
        if client.selected_alpn_protocol() != "h2":
            raise BenchError(f"{proxy.name} does not agree on HTTP/2")
