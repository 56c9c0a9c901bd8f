"""Many hosts with a certificate each: memory, and a reload that one client lives through."""

import http.client
import time

import kernel
from case import host_name
from stage import BenchError, Stage, connect_tls, probe

BEAT = 0.005  # seconds between two requests
BEFORE = 1.0  # seconds of beats before the reload
AFTER = 3.0  # and after it, when the old generation goes
PATIENCE = 60.0
LOOK_AT_MEMORY = 20  # every so many beats


def run(setup, proxy, scenario):
    with Stage(setup, proxy, scenario) as stage:
        probe(proxy, stage.case, scenario)
        client = Client(stage.case, scenario)
        # Some have read it all only now: what they were started for is not yet there before.
        pids = proxy.serving(kernel.family(stage.process.pid))
        result = {"rss": kernel.resident_bytes(pids), "noise": 0.0}
        beat = Beat(client, lambda: proxy.serving(kernel.family(stage.process.pid)))
        beat.go_on(BEFORE)
        result["calm_ms"] = beat.longest * 1000
        beat.longest = 0
        stage.case.generation = 2
        proxy.write(stage.case)
        asked = time.monotonic()
        helper = proxy.reload(stage.process.pid, proxy.config_path(stage.case))
        beat.go_on(PATIENCE, until="2")
        result["reload_s"] = time.monotonic() - asked
        beat.go_on(AFTER)
        if helper and helper.wait(timeout=PATIENCE) != 0:
            raise BenchError(f"{proxy.name} refuses to reload")
        pids = proxy.serving(kernel.family(stage.process.pid))
        result.update(stall_ms=beat.longest * 1000, peak=beat.peak,
                      after=kernel.resident_bytes(pids), reconnects=client.reconnects,
                      bad={"status": client.bad, "lost": client.lost})
        client.close()
        return result


class Client:
    """One keepalive connection; a new one when the proxy closes it."""

    def __init__(self, case, scenario):
        self.case, self.scenario = case, scenario
        self.reconnects, self.bad, self.lost = -1, 0, 0
        self.connection = None
        self.generation = ""

    def ask(self):
        for is_last in (False, True):
            try:
                return self._ask_once()
            except (OSError, http.client.HTTPException) as error:
                # Closed while it was idle: the proxy may do that, and the client then asks again.
                self.close()
                if is_last:
                    self.lost += 1
                    self.generation = f"lost: {error}"

    def _ask_once(self):
        if self.connection is None or self.connection.sock is None:
            self.reconnects += 1
            self.connection = http.client.HTTPConnection("127.0.0.1", self.case.port, timeout=10)
            self.connection.sock = connect_tls(self.case.port, host_name(0))
        self.connection.request("GET", self.scenario.path, headers={"Host": host_name(0)})
        answer = self.connection.getresponse()
        if answer.status != 200 or len(answer.read()) != self.scenario.size:
            self.bad += 1
        self.generation = answer.headers.get("X-Generation", "")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Beat:
    """Asks 200 times a second and remembers the longest wait, counted from when it was due."""

    def __init__(self, client, pids):
        self.client, self.pids = client, pids
        self.longest, self.peak = 0.0, 0

    def go_on(self, seconds, until=None):
        """For so long, or until that generation answers."""
        due = time.monotonic()
        end = due + seconds
        count = 0
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            self.client.ask()
            now = time.monotonic()
            self.longest = max(self.longest, now - due)
            if until and self.client.generation == until:
                return
            count += 1
            if count % LOOK_AT_MEMORY == 0:
                self.peak = max(self.peak, kernel.resident_bytes(self.pids()))
            # What was missed is missed: one long wait is one stall, not many.
            due = max(due + BEAT, now)
        if until:
            raise BenchError(f"no generation {until} after {seconds:.0f} s")
