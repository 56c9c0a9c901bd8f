"""What the kernel knows about processes and cores: CPU time, memory, system calls."""

import ctypes
import os
import re
import resource
import signal
import subprocess
import time

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def raise_file_limit(wanted=65536):
    """As root also the hard limit; returns what the children will inherit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((wanted, max(wanted, hard)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            return limit[0]
        except (ValueError, OSError):
            continue
    return soft


class Children:
    """All processes of the benchmark: each is pinned, dies with us, and is gone after stop()."""

    def __init__(self):
        self.running = []

    def start(self, command, core, death_signal=signal.SIGKILL, **options):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)

        process = subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare, **options)
        self.running.append(process)
        return process

    def stop(self, process, gentle=signal.SIGTERM, seconds=10):
        """True when it left after the gentle signal; the whole group is gone either way."""
        ended = process.poll() is not None
        if not ended:
            process.send_signal(gentle)
            try:
                process.wait(seconds)
                ended = True
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        if process.stdout:
            process.stdout.close()
        self.running.remove(process)
        return ended

    def stop_all(self):
        for process in reversed(list(self.running)):
            self.stop(process, signal.SIGKILL)


def family(pid):
    """The process and all its descendants."""
    pids = [pid]
    for parent in pids:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    pids += [int(child) for child in file.read().split()]
        except OSError:
            continue
    return pids


def cpu_seconds(pids):
    """Time on a core of all threads, in the scheduler's nanoseconds (not in ticks)."""
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
        except OSError:
            continue
    return total / 1e9


def resident_bytes(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as file:
                found = re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.M)
        except OSError:
            continue
        total += int(found.group(1)) * 1024 if found else 0
    return total


def core_seconds(core):
    """(busy, stolen) of one core since boot; stolen is what a hypervisor gave to others."""
    with open("/proc/stat") as file:
        line = next(line for line in file if line.startswith(f"cpu{core} "))
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return (user + nice + system + irq + softirq) * TICK, steal * TICK


class CoreWatch:
    """How much of some cores went to somebody else since the start, as a share of the time."""

    def __init__(self, *cores):
        self.cores = cores
        self.begin = time.monotonic()
        self.busy, self.stolen = self._sum()

    def _sum(self):
        busy, stolen = zip(*(core_seconds(core) for core in self.cores))
        return sum(busy), sum(stolen)

    def foreign_share(self, own_seconds):
        elapsed = time.monotonic() - self.begin
        busy, stolen = self._sum()
        foreign = max(0.0, busy - self.busy - own_seconds)
        return (foreign + stolen - self.stolen) / elapsed


def client_sockets(port):
    """Milliseconds since each established connection to this port, seen from the clients, got
    anything (or, if it never did, since it was made)."""
    done = subprocess.run(["ss", "-HtinO", "state", "established", f"( dport = :{port} )"],
                          capture_output=True, text=True, timeout=30, check=True)
    return [silent_for(line) for line in done.stdout.splitlines()]


def silent_for(line):
    """ss leaves it out when it is 0."""
    found = re.search(r"\blastrcv:(\d+)", line)
    return int(found.group(1)) if found else 0


class SystemCalls:
    """Counts the system calls of some processes with strace, between attach and finish."""

    def __init__(self, children, pids, core, path):
        self.children = children
        self.path = path
        targets = ",".join(map(str, pids))
        self.process = children.start(["strace", "-f", "-c", "-o", path, "-p", targets], core,
                                      stderr=subprocess.DEVNULL)
        self.attached = self._wait_until_attached(pids)

    def _wait_until_attached(self, pids):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            if all(_is_traced(pid) for pid in pids):
                return True
            time.sleep(0.005)
        return False

    def finish(self):
        """{name: calls}, or None where tracing is not allowed."""
        self.children.stop(self.process, signal.SIGINT)
        if not self.attached:
            return None
        calls = {}
        with open(self.path) as file:
            for line in file:
                row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$", line)
                if row and row.group(2) != "total":
                    calls[row.group(2)] = int(row.group(1))
        return calls


def _is_traced(pid):
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as file:
                if re.search(r"^TracerPid:\s+0$", file.read(), re.M):
                    return False
    except OSError:
        return False
    return True
