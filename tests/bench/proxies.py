"""The three proxies: how each is configured for a case, started and stopped.

All of them get one worker, the same request headers towards the origin, keepalive on both sides
with the same number of idle connections, and no access log unless the case asks for one.
"""

import dataclasses
import os
import re
import shutil
import signal
import subprocess

LOCATIONS = 10  # load.lua asks as many
MANY = 10_000_000  # requests per connection: never the reason for a new one

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
    cached: bool = False  # everything the origin gives is kept for an hour

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


def host_name(index):
    return f"h{index:05}.bench.example"


class Proxy:
    name = ""
    binary = ""
    gentle = signal.SIGQUIT
    death_signal = signal.SIGKILL

    def config(self, case):
        raise NotImplementedError

    def extra_files(self, case):
        """{file name: text} next to the configuration."""
        return {}

    def config_name(self):
        return f"{self.name}.conf"

    def command(self, path):
        raise NotImplementedError

    def path(self):
        return shutil.which(self.binary, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def version(self):
        """One line of the program about itself."""
        done = subprocess.run([self.path(), "-v"], capture_output=True, text=True, timeout=10,
                              check=False)
        text = (done.stdout + done.stderr).strip() or "unknown"
        return re.sub(r" - https?://\S+", "", text.splitlines()[0])

    def logs_to_stdout(self, case):
        """Whether what it writes to stdout is the access log."""
        return False

    def prepare(self, case):
        path = os.path.join(case.directory, self.config_name())
        for name, text in {self.config_name(): self.config(case), **self.extra_files(case)}.items():
            with open(os.path.join(case.directory, name), "w") as file:
                file.write(text)
        return self.command(path)


class Proxyd(Proxy):
    name = "proxyd"

    def __init__(self, binary):
        self.binary = binary

    def path(self):
        return self.binary if os.access(self.binary, os.X_OK) else None

    def config_name(self):
        return "proxyd.yaml"

    def command(self, path):
        return [self.path(), "-c", path]

    def config(self, case):
        access = "{ path: off }"
        if case.access_log:
            access = f"{{ path: {case.log_path}, format: combined, buffer: 64k, flush: 1s }}"
        return f"""\
workers: 1
control: {case.directory}/control.sock
listeners:
  http: {{ address: "127.0.0.1:{case.port}", backlog: 4096 }}
client: {{ keepalive_timeout: 120s, keepalive_requests: {MANY} }}
log:
  error: {{ path: {case.directory}/error.log, level: warn }}
  access: {access}
{"caches: { bench: { memory: 64m } }" if case.cached else ""}
upstreams:
  origin:
    servers: [{", ".join(f'"{origin}"' for origin in case.origins)}]
{self._balance(case)}    keepalive: {case.idle_upstream}
    keepalive_timeout: 120s
    keepalive_requests: {MANY}
hosts:
{self._hosts(case)}"""

    @staticmethod
    def _balance(case):
        if case.peers == 1:
            return ""
        return "    balance: least_conn\n    health_check: { path: /b/1, interval: 1s }\n"

    @staticmethod
    def _hosts(case):
        if case.hosts == 0:
            if case.cached:
                return '  "*": { upstream: origin, cache: { zone: bench, valid: 1h } }\n'
            return '  "*": origin\n'
        locations = "".join(f"      /l{i}/: {{ upstream: origin }}\n" for i in range(LOCATIONS))
        names = ['"*"'] if case.hosts == 1 else [host_name(i) for i in range(case.hosts)]
        return "".join(f"  {name}:\n    locations:\n{locations}" for name in names)


class Nginx(Proxy):
    name = "nginx"
    binary = "nginx"
    death_signal = signal.SIGTERM  # the master takes its worker with it; SIGKILL would not

    def command(self, path):
        return [self.path(), "-p", os.path.dirname(path), "-c", path]

    def config(self, case):
        access = "off"
        if case.access_log:
            access = f"{case.log_path} combined buffer=64k flush=1s"
        user = "user root root;\n" if os.geteuid() == 0 else ""
        hashes = ""
        if case.hosts > 1:
            hashes = f"    server_names_hash_max_size {8 * case.hosts};\n" \
                     "    server_names_hash_bucket_size 128;\n"
        return f"""\
daemon off;
{user}worker_processes 1;
pid {case.directory}/nginx.pid;
error_log {case.directory}/error.log warn;
events {{ worker_connections {case.slots}; }}
http {{
    access_log {access};
    keepalive_timeout 120s;
    keepalive_requests {MANY};
    client_body_temp_path {case.directory}/body;
    proxy_temp_path {case.directory}/proxy;
    fastcgi_temp_path {case.directory}/fastcgi;
    uwsgi_temp_path {case.directory}/uwsgi;
    scgi_temp_path {case.directory}/scgi;
{hashes}    upstream origin {{
{self._origins(case)}        keepalive {case.idle_upstream};
        keepalive_timeout 120s;
        keepalive_requests {MANY};
    }}
{self._cache(case)}    proxy_http_version 1.1;
    proxy_buffers 16 16k;
    proxy_max_temp_file_size 0;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header Via "1.1 nginx";
{self._servers(case)}}}
"""

    @staticmethod
    def _cache(case):
        if not case.cached:
            return ""
        return f"""\
    proxy_cache_path {case.directory}/cache levels=1:2 keys_zone=bench:64m;
    proxy_cache bench;
    proxy_cache_valid 200 1h;
    proxy_cache_lock on;
    add_header X-Cache-Status $upstream_cache_status;
    open_file_cache max=1000 inactive=1h;
    sendfile on;
"""

    @staticmethod
    def _origins(case):
        balance = "        least_conn;\n" if case.peers > 1 else ""
        return balance + "".join(f"        server {origin};\n" for origin in case.origins)

    @staticmethod
    def _servers(case):
        listen = f"listen 127.0.0.1:{case.port} default_server backlog=4096;"
        if case.hosts == 0:
            return f"    server {{\n        {listen}\n" \
                   "        location / { proxy_pass http://origin; }\n    }\n"
        locations = "".join(f"        location /l{i}/ {{ proxy_pass http://origin; }}\n"
                            for i in range(LOCATIONS))
        if case.hosts == 1:
            return f"    server {{\n        {listen}\n{locations}    }}\n"
        servers = [f"    server {{\n        {listen}\n        return 404;\n    }}\n"]
        for i in range(case.hosts):
            servers.append(f"    server {{\n        listen 127.0.0.1:{case.port};\n"
                           f"        server_name {host_name(i)};\n{locations}    }}\n")
        return "".join(servers)


class Haproxy(Proxy):
    name = "haproxy"
    binary = "haproxy"
    gentle = signal.SIGUSR1

    def config_name(self):
        return "haproxy.cfg"

    def command(self, path):
        return [self.path(), "-f", path]

    def logs_to_stdout(self, case):
        return case.access_log

    def extra_files(self, case):
        if case.hosts == 0:
            return {}
        names = [""] if case.hosts == 1 else [host_name(i) for i in range(case.hosts)]
        return {"routes.map": "".join(f"{name}/l{i}/ origin\n"
                                      for name in names for i in range(LOCATIONS))}

    def config(self, case):
        log_target, log_format = "", ""
        if case.access_log:
            log_target = "    log stdout format raw local0\n"
            log_format = """\
    log global
    http-request capture req.hdr(Referer) len 512
    http-request capture req.hdr(User-Agent) len 512
    log-format '%ci - - [%trg] "%HM %HU %HV" %ST %B "%[capture.req.hdr(0)]" "%[capture.req.hdr(1)]"'
"""
        # Halves the cost of 1 MiB; a larger tune.bufsize does too, but makes 64 KiB dearer.
        splice = "    option splice-response\n" if case.large else ""
        return f"""\
global
    nbthread 1
    maxconn {case.clients}
    tune.pool-low-fd-ratio 90
    tune.pool-high-fd-ratio 95
{log_target}defaults
    mode http
    timeout connect 5s
    timeout client 120s
    timeout server 300s
    timeout http-request 60s
    timeout http-keep-alive 120s
    option http-keep-alive
    http-reuse always
{splice}{self._cache_section(case)}frontend bench
    bind 127.0.0.1:{case.port} backlog 4096
{log_format}    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header Via "1.1 haproxy"
{self._route(case)}backend origin
{self._cache(case)}{self._origins(case)}"""

    @staticmethod
    def _cache(case):
        if not case.cached:
            return ""
        return """\
    http-request cache-use bench
    http-response cache-store bench
"""

    @staticmethod
    def _cache_section(case):
        if not case.cached:
            return ""
        return "cache bench\n    total-max-size 64\n    max-object-size 200000\n    max-age 3600\n"

    @staticmethod
    def _origins(case):
        pool = f"pool-max-conn {case.idle_upstream} pool-purge-delay 120s"
        if case.peers == 1:
            return f"    server origin {case.origins[0]} {pool}\n"
        servers = (f"    server origin{i} {origin} {pool} check inter 1s\n"
                   for i, origin in enumerate(case.origins))
        return "    balance leastconn\n    option httpchk GET /b/1\n" + "".join(servers)

    @staticmethod
    def _route(case):
        if case.hosts == 0:
            return "    default_backend origin\n"
        key = "path" if case.hosts == 1 else "base"
        return f"    use_backend %[{key},map_beg({case.directory}/routes.map)]\n"
