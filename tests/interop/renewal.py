"""A certificate is renewed five times under load: no request fails, the new one is served."""
import http.client
import socket
import ssl
import threading
import time

import harness
from harness import check


class Named(ssl.SSLContext):
    """http.client would take the address it connects to for the server's name."""

    def wrap_socket(self, sock, **options):  # pylint: disable=arguments-differ
        options["server_hostname"] = "localhost"
        return super().wrap_socket(sock, **options)


class Load(threading.Thread):
    """Requests over TLS, some on kept connections and some on new ones."""

    def __init__(self, stage, kept):
        super().__init__(daemon=True)
        self.stage, self.kept = stage, kept
        self.context = Named(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(stage.ca)
        self.good, self.errors, self.done = 0, [], False

    def run(self):
        connection = None
        while not self.done:
            try:
                if connection is None:
                    connection = http.client.HTTPSConnection(
                        "127.0.0.1", self.stage.https, context=self.context, timeout=20)
                connection.request("GET", "/load", headers={"Host": "localhost"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"status {answer.status}")
                self.good += 1
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                self.errors.append(repr(error))
                connection = None
            if not self.kept and connection is not None:
                connection.close()
                connection = None


def served_serial(stage):
    context = ssl.create_default_context(cafile=stage.ca)
    with socket.create_connection(("127.0.0.1", stage.https), 10) as plain:
        with context.wrap_socket(plain, server_hostname="app.test") as secure:
            return secure.getpeercert()["serialNumber"]


def serial_of(path):
    text = harness.run(["openssl", "x509", "-in", path, "-noout", "-serial"]).stdout
    return text.strip().split("=")[1]


def prove(binary):
    harness.need("openssl")
    stage = harness.Stage(binary)
    try:
        loads = [Load(stage, kept) for kept in (True, True, False, False)]
        for load in loads:
            load.start()
        check(harness.eventually(lambda: sum(load.good for load in loads) > 100), "no load")
        slowest = 0.0
        for _ in range(5):
            stage.certificates.issue("app", stage.cert_hosts)
            fresh, start = serial_of(stage.certificate), time.monotonic()
            check(harness.eventually(lambda: served_serial(stage) == fresh, 10),
                  f"still the old certificate:\n{stage.proxyd.log()}")
            slowest = max(slowest, time.monotonic() - start)
        before = sum(load.good for load in loads)
        check(harness.eventually(lambda: sum(load.good for load in loads) > before + 50), "stuck")
        for load in loads:
            load.done = True
        for load in loads:
            load.join(30)
        errors = [error for load in loads for error in load.errors]
        check(not errors, f"{len(errors)} failed, such as {errors[:3]}\n{stage.proxyd.log()}")
        good = sum(load.good for load in loads)
        check(slowest < 3.0, f"the swap took {slowest:.1f} s")
    finally:
        stage.close()
    return (f"renewal: 5 renewals during {good} requests, none failed, served after at most "
            f"{slowest:.1f} s")


harness.main(prove)
