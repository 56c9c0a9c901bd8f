"""proxyd, nginx and HAProxy: how each is configured for a case, started and stopped.

All of them get as many workers, the same request headers towards the origin, keepalive on both sides
with the same number of idle connections, and no access log unless the case asks for one.
"""

import os
import signal
import subprocess

from case import LOCATIONS, MANY, Proxy, host_name, user_line
from h2_proxies import H2o, Nghttpx


def known_proxies(proxyd):
    """{name: proxy} in the order of the tables."""
    everyone = [Proxyd(proxyd), Nginx(), Haproxy(), Nghttpx(), H2o()]
    return {proxy.name: proxy for proxy in everyone}


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

    def reload(self, pid, path):
        return subprocess.Popen([self.path(), "-c", path, "-s", "reload"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def config(self, case):
        access = "{ path: off }"
        if case.access_log:
            access = f"{{ path: {case.log_path}, format: combined, buffer: 64k, flush: 1s }}"
        return f"""\
workers: {case.workers}
control: {case.directory}/control.sock
listeners:
  {self._listener(case)}
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
    def _listener(case):
        address = f'address: "127.0.0.1:{case.port}"'
        if case.tls:
            return f"https: {{ {address}, tls: true, http2: true, backlog: 4096 }}"
        return f"http: {{ {address}, backlog: 4096 }}"

    def _hosts(self, case):
        if case.tls:
            return self._tls_hosts(case)
        if case.hosts == 0:
            if case.cached:
                return '  "*": { upstream: origin, cache: { zone: bench, valid: 1h } }\n'
            return '  "*": origin\n'
        locations = "".join(f"      /l{i}/: {{ upstream: origin }}\n" for i in range(LOCATIONS))
        names = ['"*"'] if case.hosts == 1 else [host_name(i) for i in range(case.hosts)]
        return "".join(f"  {name}:\n    locations:\n{locations}" for name in names)

    @staticmethod
    def _tls_hosts(case):
        def host(key, name, more=""):
            pair = f"certificate: {name('crt')}, key: {name('key')}"
            return f"  {key}:\n    tls: {{ {pair} }}\n    upstream: origin\n{more}"

        lines = [host('"*"', case.certificate)]
        for i in range(case.hosts):
            name = host_name(i)
            more = f'    response_headers: {{ set: {{ X-Generation: "{case.generation}" }} }}\n'
            lines.append(host(name, lambda kind: case.certificate(kind, name),
                              "" if i else more))
        return "".join(lines)


class Nginx(Proxy):
    name = "nginx"
    binary = "nginx"
    death_signal = signal.SIGTERM  # the master takes its worker with it; SIGKILL would not
    has_master = True

    def command(self, path):
        return [self.path(), "-p", os.path.dirname(path), "-c", path]

    def reload(self, pid, path):
        os.kill(pid, signal.SIGHUP)

    def config(self, case):
        access = "off"
        if case.access_log:
            access = f"{case.log_path} combined buffer=64k flush=1s"
        user = user_line("user root root;\n")
        hashes = ""
        if case.hosts > 1:
            hashes = f"    server_names_hash_max_size {8 * case.hosts};\n" \
                     "    server_names_hash_bucket_size 128;\n"
        return f"""\
daemon off;
{user}worker_processes {case.workers};
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

    def _servers(self, case):
        if case.tls:
            return self._tls_servers(case)
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

    @staticmethod
    def _tls_servers(case):
        def server(options, certificate, more=""):
            return f"    server {{\n        listen 127.0.0.1:{case.port} ssl http2{options};\n" \
                   f"        ssl_certificate {certificate('crt')};\n" \
                   f"        ssl_certificate_key {certificate('key')};\n{more}" \
                   "        location / { proxy_pass http://origin; }\n    }\n"

        reuse = " reuseport" if case.workers > 1 else ""
        servers = ["    ssl_protocols TLSv1.2 TLSv1.3;\n",
                   server(f" default_server backlog=4096{reuse}", case.certificate)]
        for i in range(case.hosts):
            name = host_name(i)
            more = "" if i else f"        add_header X-Generation {case.generation};\n"
            servers.append(server("", lambda kind: case.certificate(kind, name),
                                  f"        server_name {name};\n{more}"))
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
        tls = f" ssl crt {case.certificate('pem')} alpn h2,http/1.1" if case.tls else ""
        return f"""\
global
    nbthread {case.workers}
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
    bind 127.0.0.1:{case.port} backlog 4096{tls}
{log_format}    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto {"https" if case.tls else "http"}
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
