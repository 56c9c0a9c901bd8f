"""What a proxy is configured for, and what every proxy has in common."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess

LOCATIONS = 10  # load.lua asks as many
MANY = 10_000_000  # requests per connection: never the reason for a new one
NAME = "bench.example"  # what the load asks for over TLS

# What every proxy must send on, whatever else it adds. run.py asks the origin's /echo.
FORWARDED = ["host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
             "x-forwarded-port", "via"]


@dataclasses.dataclass
class Case:
    """What a configuration depends on."""
    port: int
    origin_port: int
    directory: str
    idle_upstream: int = 128
    connections: int = 64
    access_log: bool = False
    hosts: int = 0  # 0: one plain route; 1: one host with ten locations; else that many hosts
    large: bool = False  # bodies well above a buffer
    peers: int = 1  # addresses of the origin, from 127.0.0.1 on
    tls: bool = False  # with HTTP/2; hosts then have a certificate each, and no locations
    certificates: str = ""  # directory of NAME.crt, .key and .pem
    workers: int = 1
    cached: bool = False  # everything the origin gives is kept for an hour
    generation: int = 1  # a response header of the first of the hosts with certificates

    @property
    def log_path(self):
        return os.path.join(self.directory, "access.log")

    @property
    def origins(self):
        return [f"127.0.0.{i + 1}:{self.origin_port}" for i in range(self.peers)]

    @property
    def clients(self):
        """Clients the proxy must be able to hold, with room to spare."""
        return self.connections + 1000

    @property
    def slots(self):
        """The same with the connections to the origin."""
        return self.clients + max(self.idle_upstream, 64) + 1000

    def certificate(self, kind, name=NAME):
        """kind: crt, key, or pem with both."""
        return os.path.join(self.certificates, f"{name}.{kind}")


def host_name(index):
    return f"h{index:05}.bench.example"


class Proxy:
    name = ""
    binary = ""
    version_option = "-v"
    gentle = signal.SIGQUIT
    death_signal = signal.SIGKILL
    has_master = False  # a process that only waits, and whose child serves

    def config(self, case):
        raise NotImplementedError

    def extra_files(self, case):
        """{file name: text} next to the configuration."""
        return {}

    def config_name(self):
        return f"{self.name}.conf"

    def command(self, path):
        raise NotImplementedError

    def reload(self, pid, path):
        """Begins to take the configuration file anew; does not wait for the end of that."""
        raise NotImplementedError

    def path(self):
        return shutil.which(self.binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def version(self):
        """One line of the program about itself."""
        done = subprocess.run([self.path(), self.version_option], capture_output=True, text=True,
                              timeout=10, check=False)
        text = (done.stdout + done.stderr).strip() or "unknown"
        return re.sub(r" - https?://\S+", "", text.splitlines()[0])

    def logs_to_stdout(self, case):
        """Whether what it writes to stdout is the access log."""
        return False

    def serving(self, family):
        """Of the process and its descendants those that serve; a master shares their pages."""
        return family[1:] if self.has_master and len(family) > 1 else family

    def config_path(self, case):
        return os.path.join(case.directory, self.config_name())

    def write(self, case):
        for name, text in {self.config_name(): self.config(case), **self.extra_files(case)}.items():
            with open(os.path.join(case.directory, name), "w") as file:
                file.write(text)

    def prepare(self, case):
        self.write(case)
        return self.command(self.config_path(case))


def user_line(text):
    """For programs that would drop to a user of their own, who cannot read our files."""
    return text if os.geteuid() == 0 else ""
