#!/usr/bin/env python3
"""The parts of the benchmark that could be wrong without anybody noticing."""

import os
import socket
import sys
import tempfile
import time
import types
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import columns  # noqa: E402
import kernel  # noqa: E402
import load  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402
import scenarios  # noqa: E402
from results import Result, comparisons  # noqa: E402
from stage import BenchError  # noqa: E402

H2LOAD = """\
Application protocol: h2
finished in {time}, 72844.00 req/s, 11.12MB/s
requests: 100 total, 100 started, 100 done, {good} succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {good} 2xx, 0 3xx, 0 4xx, {failed} 5xx
traffic: 11.12KB (11385) total, 997B (997) headers (space savings 93.96%), 8.89KB (12800) data
"""


def scenario(name):
    return next(s for s in scenarios.all_scenarios(8000, 3000, 10000) if s.name == name)


def result(name, **cpu):
    runs = {proxy: [{"cpu_us": value, "rps": 1e6 / value, "bad": {}, "noise": 0}]
            for proxy, value in cpu.items()}
    return Result(scenario(name), runs, {}, {})


class StuckConnections(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.clients = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(4)]
        self.accepted = [self.server.accept()[0] for _ in self.clients]

    def tearDown(self):
        for one in [self.server, *self.clients, *self.accepted]:
            one.close()

    def count(self, **changes):
        case = types.SimpleNamespace(port=self.port)
        load_of = {"kind": "load", "streams": 1, "connections": 4, "mode": ("plain",)} | changes
        return measure.count_stuck(types.SimpleNamespace(seconds=0.5), case,
                                   types.SimpleNamespace(**load_of))

    def test_only_those_that_get_nothing_are_stuck(self):
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            for one in self.accepted[1:]:
                one.sendall(b"x")
            time.sleep(0.02)
        self.assertEqual(self.count(), 1)

    def test_a_connection_that_does_not_stand_is_stuck(self):
        self.assertEqual(self.count(), 0)
        self.assertEqual(self.count(connections=6), 2)
        self.assertEqual(self.count(connections=6, mode=("close",)), 0)


class H2load(unittest.TestCase):
    def test_reads_the_last_lines(self):
        run = load.parse_h2load(H2LOAD.format(time="250.00ms", good=100, failed=0))
        self.assertEqual((run["requests"], run["seconds"], run["bytes"]), (100, 0.25, 12800))
        self.assertFalse(measure.is_void(run))

    def test_a_failed_request_makes_it_void(self):
        run = load.parse_h2load(H2LOAD.format(time="1.20s", good=99, failed=1))
        self.assertTrue(measure.is_void(run))

    def test_another_protocol_is_refused(self):
        text = H2LOAD.format(time="1.20s", good=100, failed=0).replace(": h2", ": http/1.1")
        with self.assertRaises(BenchError):
            load.parse_h2load(text)

    def test_a_stream_without_an_answer_makes_it_void(self):
        """A load that does not end is stopped, and what it lacks is counted."""
        children = kernel.Children()
        with tempfile.TemporaryDirectory() as directory:
            setup = types.SimpleNamespace(children=children)
            case = types.SimpleNamespace(directory=directory, port=1)
            program = load.H2load(setup, case, scenario("h2_small"))
            program.wanted = 10
            with open(program.log, "w") as file:
                file.write("1\t200\t55\n" * 9)
            process = children.start(["sleep", "60"], 0, stdout=-1, text=True)
            run = program.finish(process, -3)
        self.assertEqual(run["bad"], {"stuck": 1})
        self.assertEqual(children.running, [])


class Marks(unittest.TestCase):
    def test_against_the_best_of_the_others(self):
        column = columns.summary(scenario("tls_small"))[0]
        for own, text in ((9.4, "≤ 0.95 kept"), (9.6, "≤ 0.95 **missed**")):
            measured = result("tls_small", proxyd=own, nginx=12.0, haproxy=10.0)
            self.assertEqual(report.mark_text(measured, column), text)

    def test_nothing_measured_is_no_verdict(self):
        column = columns.summary(scenario("tls_small"))[0]
        self.assertEqual(report.mark_text(result("tls_small", nginx=1.0), column), "≤ 0.95")

    def test_what_a_connection_costs_is_taken_off(self):
        results = [result("tls_handshake-1.2", proxyd=170.0), result("tls_resumed-1.2", proxyd=60.0),
                   result("tls_bare", proxyd=20.0)]
        values = [round(pair.value(results, "proxyd"), 2) for pair in comparisons(results)]
        self.assertEqual(values, [2.83, 3.75])

    def test_comparisons_within_one_proxy(self):
        results = [result("tls_handshake-1.3", proxyd=300.0), result("tls_resumed-1.3", proxyd=150.0),
                   result("tls_workers-1", proxyd=100.0), result("tls_workers-2", proxyd=105.0)]
        values = [round(pair.value(results, "proxyd"), 2) for pair in comparisons(results)]
        self.assertEqual(values, [2.0, 1.9])
        rows = [report.comparison_row(pair, results, ["proxyd"]) for pair in comparisons(results)]
        self.assertEqual([row[-2] for row in rows], ["≥ 3 **missed**", "≥ 1.8 kept"])


if __name__ == "__main__":
    unittest.main()
