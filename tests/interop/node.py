"""node's http2 client: streams, trailers, ping, WebSocket by extended CONNECT, GOAWAY at drain."""
import json
import os
import time

import harness
from harness import check


def answer(handler):
    if handler.path == "/slow":
        time.sleep(1)
        handler.reply(200, b"slow but whole")
    elif handler.path == "/trailers":
        handler.body()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"4\r\nbody\r\n0\r\nx-sum: 1234\r\n\r\n")
        handler.wfile.flush()
    else:
        harness.default_answer(handler)


def prove(binary):
    harness.need("node", "openssl")
    stage = harness.Stage(binary, answer)
    try:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_client.js")
        done = harness.run(["node", script, str(stage.https), stage.ca,
                            str(stage.proxyd.process.pid)])
        check(done.returncode == 0, f"{done.stdout[-2000:]}\n{stage.proxyd.log()}")
        result = json.loads(done.stdout.splitlines()[-1])
        check(result == {"requests": 1000, "trailers": "1234", "ping": 8,
                         "websocket": "hello over h2", "goaway": 0, "slow": "slow but whole"},
              result)
        sockets = [line for line in stage.proxyd.access() if line["request_uri"] == "/socket"]
        check(sockets and sockets[0]["server_protocol"] == "HTTP/2.0", sockets)
        check(any(path == "/socket" and fields.get("Upgrade") == "websocket"
                  for _, path, fields in stage.backend.seen), "the backend saw no upgrade")
    finally:
        stage.close()
    return ("node: 1,000 requests in 50 streams, trailers, ping, no push, WebSocket by extended "
            "CONNECT, GOAWAY at drain")


harness.main(prove)
