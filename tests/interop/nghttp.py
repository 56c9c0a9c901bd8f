"""nghttp and h2load: trailers, an upgrade that is not taken, many connections and streams."""
import re

import harness
from harness import check


def answer(handler):
    if handler.path.startswith("/trailers"):
        handler.body()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                            b"Trailer: x-sum\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1234\r\n\r\n")
        handler.wfile.flush()
    else:
        harness.default_answer(handler)


def h2load(stage, url, connections, streams, requests):
    done = harness.run(["h2load", "-c", str(connections), "-m", str(streams), "-n", str(requests),
                        url], limit=120)
    found = re.search(r"requests: (\d+) total, .*?(\d+) succeeded, (\d+) failed, (\d+) errored",
                      done.stdout)
    check(found, f"h2load said: {done.stdout[-2000:]}")
    check(found.groups() == (str(requests), str(requests), "0", "0"), done.stdout[-2000:])
    check(f"status codes: {requests} 2xx" in done.stdout, done.stdout[-2000:])


def prove(binary):
    harness.need("nghttp", "h2load", "openssl")
    stage = harness.Stage(binary, answer)
    try:
        for tls in (True, False):
            port = stage.https if tls else stage.http
            url = f"{'https' if tls else 'http'}://localhost:{port}"
            done = harness.run(["nghttp", "-v", "--trailer", "x-end: 1", "-d", "/etc/hostname",
                                url + "/trailers"])
            check("x-sum: 1234" in done.stdout, f"no trailers: {done.stdout[-3000:]}")
            check(":status: 200" in done.stdout, done.stdout[-3000:])
            check("SETTINGS_ENABLE_CONNECT_PROTOCOL" in done.stdout or "(0x08):1" in done.stdout,
                  f"no RFC 8441 in the settings: {done.stdout[:2000]}")
            check("RST_STREAM" not in done.stdout, done.stdout[-3000:])
            done = harness.run(["nghttp", "-nas", "-m", "20", url + "/", url + "/2"])
            check(done.returncode == 0 and done.stdout.count(" 200 ") >= 2, done.stdout)
            h2load(stage, url + "/load", 100, 10, 5000)
        # The upgrade from HTTP/1.1 is gone from HTTP/2 (RFC 9113 3.1): answered as HTTP/1.1.
        done = harness.run(["nghttp", "-v", "-u", f"http://127.0.0.1:{stage.http}/upgrade"])
        check("101" not in done.stdout.split("\n")[0], done.stdout)
        upgraded = [fields for _, path, fields in stage.backend.seen if path == "/upgrade"]
        check(upgraded and not any(name.lower() in ("upgrade", "http2-settings")
                                   for fields in upgraded for name in fields),
              f"the backend saw: {upgraded}")
    finally:
        stage.close()
    return "nghttp: trailers both ways, no h2c upgrade; h2load: 100 x 10 streams, all 2xx, both ports"


harness.main(prove)
