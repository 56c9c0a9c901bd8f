"""What the interop scripts share: the program under test, backends, certificates, the verdict.

A script is run as `script.py PROXYD` and ends by itself. It prints what it proved in one line and
exits 0, 77 when a tool that it needs is missing, 1 otherwise.
"""
import base64
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = float(os.environ.get("PROXYD_INTEROP_LIMIT", "60"))  # seconds for one command


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            sys.exit(77)


def free_port():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, limit=LIMIT, **options):
    """The finished command with its whole output as text; raises when it takes too long."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=limit, check=False, **options)


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


class Certificates:
    """A private authority in a directory, made with the openssl program."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = os.path.join(directory, "ca.pem")
        self._ca_key = os.path.join(directory, "ca.key")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", self._ca_key, "-out", self.ca, "-days", "30",
                      "-subj", "/CN=interop authority",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, hosts, kind="ec", days=90, client=False):
        """Paths of the certificate and the key."""
        path = os.path.join(self.directory, name)
        key = (["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec"
               else ["-newkey", "rsa:2048"])
        self._openssl("req", *key, "-nodes", "-keyout", path + ".key.new", "-out", path + ".csr",
                      "-subj", "/CN=" + hosts[0])
        names = ",".join(("IP:" if host[0].isdigit() else "DNS:") + host for host in hosts)
        with open(path + ".ext", "w", encoding="ascii") as extensions:
            extensions.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n"
                             "keyUsage=digitalSignature\n"
                             f"extendedKeyUsage={'clientAuth' if client else 'serverAuth'}\n")
        self._openssl("x509", "-req", "-in", path + ".csr", "-CA", self.ca, "-CAkey", self._ca_key,
                      "-CAcreateserial", "-out", path + ".pem.new", "-days", str(days),
                      "-extfile", path + ".ext")
        os.chmod(path + ".key.new", 0o600)
        # Both are replaced at once, as far as a directory can do that.
        os.rename(path + ".key.new", path + ".key")
        os.rename(path + ".pem.new", path + ".pem")
        return path + ".pem", path + ".key"

    @staticmethod
    def _openssl(*arguments):
        done = run(["openssl", *arguments])
        check(done.returncode == 0, f"openssl {arguments[0]}: {done.stdout}")


class Backend:
    """HTTP/1.1 and WebSocket echo on a free port. `answer(handler)` handles what is no upgrade."""

    def __init__(self, answer=None):
        self.seen = []  # (method, path, fields)
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_):
                pass

            def reply(self, status, body, kind="text/plain", fields=()):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in fields:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                self.wfile.flush()

            def body(self):
                return read_body(self.rfile, self.headers)

            def any(self):
                backend.seen.append((self.command, self.path, dict(self.headers.items())))
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    self.close_connection = True
                    return echo_websocket(self)
                return (answer or default_answer)(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = any

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def default_answer(handler):
    body = handler.body()
    handler.reply(200, b"%s %s %d" % (handler.command.encode(), handler.path.encode(), len(body)))


def read_body(stream, headers):
    if "chunked" in headers.get("Transfer-Encoding", ""):
        body = b""
        while True:
            size = int(stream.readline().split(b";")[0], 16)
            if size == 0:
                break
            body += stream.read(size)
            stream.readline()
        while stream.readline().strip():
            pass
        return body
    return stream.read(int(headers.get("Content-Length", 0)))


def echo_websocket(handler):
    """RFC 6455: accepts, then sends every message back until a close frame comes."""
    key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    handler.wfile.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept +
                         "\r\n\r\n").encode())
    handler.wfile.flush()
    while True:
        head = handler.rfile.read(2)
        if len(head) < 2:
            return
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(handler.rfile.read(2), "big")
        elif size == 127:
            size = int.from_bytes(handler.rfile.read(8), "big")
        mask = handler.rfile.read(4) if head[1] & 128 else b"\0\0\0\0"
        data = handler.rfile.read(size)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        if size < 126:
            length = bytes([size])
        elif size < 65536:
            length = b"\x7e" + size.to_bytes(2, "big")
        else:
            length = b"\x7f" + size.to_bytes(8, "big")
        handler.wfile.write(head[:1] + length + data)
        handler.wfile.flush()
        if head[0] & 15 == 8:
            return


class Proxyd:
    """The program under test with a configuration; `directory` is its own."""

    def __init__(self, binary, yaml, directory):
        self.binary = binary
        self.directory = directory
        self.config = os.path.join(directory, "proxyd.yaml")
        self.log_path = os.path.join(directory, "error.log")
        self.access_path = os.path.join(directory, "access.log")
        notify_path = os.path.join(directory, "notify.sock")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(notify_path)
        notify.settimeout(15)
        self.write(yaml)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([binary, "-c", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log,
                                            env={**os.environ, "NOTIFY_SOCKET": notify_path})
        try:
            while b"READY=1" not in notify.recv(4096):
                pass
        except TimeoutError as error:
            self.process.kill()
            raise Failed("proxyd did not get ready:\n" + self.log()) from error
        finally:
            notify.close()
            os.unlink(notify_path)

    def write(self, yaml):
        text = yaml + (f"control: {self.directory}/control.sock\n"
                       f"log: {{ access: {{ path: {self.access_path}, format: json, "
                       "buffer: 0 } }\n")
        with open(self.config + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.config + ".new", self.config)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()[-8000:]

    def access(self):
        with open(self.access_path, encoding="utf-8", errors="replace") as file:
            return [json.loads(line) for line in file]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failed("proxyd did not stop") from None
        # A second signal may meet a process that has ended its work and is about to exit.
        over = code == 0 or (code == -number and "info stopped" in self.log())
        check(over, f"proxyd ended with {code}:\n{self.log()}")


class Stage:
    """A directory, an authority with a server certificate for app.test, backends and the program:
    an HTTPS listener with HTTP/2 and a plain one with HTTP/2 by prior knowledge."""

    def __init__(self, binary, answer=None, host="", top="", upstream=None, cert_hosts=None):
        self.directory = tempfile.mkdtemp(prefix="proxyd-interop-")
        self.certificates = Certificates(self.directory)
        self.ca = self.certificates.ca
        self.cert_hosts = cert_hosts or ["app.test", "localhost", "127.0.0.1"]
        self.certificate, self.key = self.certificates.issue("app", self.cert_hosts)
        self.backend = Backend(answer) if upstream is None else None
        self.https = free_port()
        self.http = free_port()
        self.yaml = top + f"""
workers: 2
listeners:
  https: {{ address: "127.0.0.1:{self.https}", tls: true }}
  http: {{ address: "127.0.0.1:{self.http}", http2: true }}
hosts:
  app.test:
    names: [localhost, "127.0.0.1"]
    upstream: {upstream or self.backend.port}
    redirect_http: false
    tls: {{ certificate: {self.certificate}, key: {self.key} }}
{host}
"""
        self.proxyd = Proxyd(binary, self.yaml, self.directory)

    def curl(self, *arguments, tls=True, limit=LIMIT):
        port = self.https if tls else self.http
        return run(["curl", "-sS", "--max-time", "30", "--cacert", self.ca, "--resolve",
                    f"app.test:{port}:127.0.0.1", *arguments], limit)

    def url(self, path="/", tls=True):
        return f"{'https' if tls else 'http'}://app.test:{self.https if tls else self.http}{path}"

    def close(self, number=signal.SIGTERM):
        try:
            self.proxyd.stop(number)
        finally:
            if self.backend:
                self.backend.close()
            if not os.environ.get("PROXYD_KEEP_TEMP"):
                shutil.rmtree(self.directory, ignore_errors=True)


def eventually(condition, limit=15.0):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def main(prove):
    """Runs prove(binary), which returns the line to print."""
    if len(sys.argv) < 2:
        sys.exit("usage: script PROXYD")
    signal.alarm(int(os.environ.get("PROXYD_INTEROP_TOTAL", "900")))
    try:
        print("proved:", prove(sys.argv[1]))
    except Failed as error:
        print("FAILED:", error)
        sys.exit(1)
