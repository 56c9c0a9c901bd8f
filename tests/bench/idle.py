"""Memory of idle connections: resident size with all of them minus the size before."""

import dataclasses
import socket
import ssl
import time

import kernel
from case import NAME
from stage import BenchError, Stage, client_context, probe

SETTLE_SECONDS = 4  # an idle connection may take a second or two to give its buffers back
FEW = 64
PER_ADDRESS = 4000  # connections from one source address


def run(setup, proxy, scenario):
    held = []
    with Stage(setup, proxy, scenario) as stage:
        try:
            names = probe(proxy, stage.case, scenario)
            pids = proxy.serving(kernel.family(stage.process.pid))
            hold_connections(stage.case, dataclasses.replace(scenario, connections=FEW), held)
            time.sleep(1)
            before = kernel.resident_bytes(pids)
            hold_connections(stage.case, scenario, held)
            time.sleep(SETTLE_SECONDS)
            after = kernel.resident_bytes(pids)
            closed = len(held) - still_open(held)
        finally:
            for client in held:
                client.close()
    return {"before": before, "rss": after, "each": (after - before) / scenario.connections,
            "noise": 0.0, "headers": names, "bad": {"closed": closed}}


def hold_connections(case, scenario, held):
    """Opens one connection after the other and makes one request on each."""
    request = f"GET {scenario.path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()
    context = client_context()
    for index in range(scenario.connections):
        client = socket.socket()
        held.append(client)
        client.settimeout(10)
        client.bind((f"127.0.0.{1 + index // PER_ADDRESS}", 0))
        client.connect(("127.0.0.1", case.port))
        if case.tls:
            client = held[-1] = context.wrap_socket(client, server_hostname=NAME)
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
    return sum(1 for client in held if is_open(client))


def is_open(client):
    client.setblocking(False)
    try:
        client.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    return False
