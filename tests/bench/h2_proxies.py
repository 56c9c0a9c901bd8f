"""Two more that speak HTTP/2 to clients: nghttpx and h2o. Only for cases with TLS.

They cannot put the client's address or the asked host into a header line of any name: some lines
are fixed texts of the same length, which costs them less than it costs the others.
"""

import signal

from case import NAME, Proxy, user_line

FIXED = ["X-Real-IP: 127.0.0.1", f"X-Forwarded-Host: {NAME}"]


class Nghttpx(Proxy):
    name = "nghttpx"
    binary = "nghttpx"
    death_signal = signal.SIGTERM  # the master takes its worker with it; SIGKILL would not
    has_master = True

    def command(self, path):
        return [self.path(), f"--conf={path}"]

    def config(self, case):
        headers = "".join(f"add-request-header={line}\n"
                          for line in [*FIXED, f"X-Forwarded-Port: {case.port}"])
        return f"""\
frontend=127.0.0.1,{case.port}
backend=127.0.0.1,{case.origin_port}
private-key-file={case.certificate("key")}
certificate-file={case.certificate("crt")}
workers={case.workers}
backlog=4096
no-ocsp=yes
pid-file={case.directory}/nghttpx.pid
errorlog-file={case.directory}/error.log
accesslog-file=/dev/null
frontend-keep-alive-timeout=120s
backend-keep-alive-timeout=120s
strip-incoming-x-forwarded-for=yes
add-x-forwarded-for=yes
{headers}"""


class H2o(Proxy):
    name = "h2o"
    binary = "h2o"
    gentle = signal.SIGTERM

    def serving(self, family):
        return family[:1]  # without the script that would explain a crash

    def command(self, path):
        return [self.path(), "-c", path]

    def config(self, case):
        headers = "".join(f'        - proxy.header.set: "{line}"\n'
                          for line in [*FIXED, f"X-Forwarded-Port: {case.port}"])
        return f"""\
{user_line("user: root")}
pid-file: {case.directory}/h2o.pid
error-log: {case.directory}/error.log
num-threads: {case.workers}
max-connections: {case.clients}
http1-request-timeout: 120
http2-idle-timeout: 120
listen:
  host: 127.0.0.1
  port: {case.port}
  ssl:
    certificate-file: {case.certificate("crt")}
    key-file: {case.certificate("key")}
    minimum-version: TLSv1.2
    ocsp-update-interval: 0
    neverbleed: OFF
hosts:
  default:
    paths:
      /:
        - proxy.reverse.url: "http://127.0.0.1:{case.origin_port}/"
        - proxy.preserve-host: ON
        - proxy.timeout.keepalive: 120000
{headers}"""
