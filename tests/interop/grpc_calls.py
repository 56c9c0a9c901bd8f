"""A real gRPC client and server through proxyd, HTTP/2 on both sides, plain and TLS."""
import threading
import time

import harness
from harness import check

try:
    import grpc
    from concurrent import futures
except ImportError:
    print("skipped: grpc for Python is not installed")
    raise SystemExit(77) from None

SERVICE = "interop.Echo"
LONG = b"m" * 300_000


class Server:
    def __init__(self):
        self.cancelled = threading.Event()
        self.metadata = {}
        self.server = grpc.server(futures.ThreadPoolExecutor(32))
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        handlers = {
            "Unary": unary(self.unary), "Fail": unary(self.fail), "Sleep": unary(self.sleep),
            "Count": stream(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat),
            "Endless": stream(self.endless)}
        self.server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def unary(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-first", "head"),))
        context.set_trailing_metadata((("x-last", "tail"), ("x-bin", b"\x00\xff")))
        return b"re:" + request

    @staticmethod
    def fail(_, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: 100% \u00fc")

    @staticmethod
    def sleep(_, context):
        while context.is_active():
            time.sleep(0.02)
        return b""

    @staticmethod
    def count(request, _):
        for number in range(int(request)):
            yield str(number).encode()

    @staticmethod
    def sum(requests, _):
        return str(sum(len(request) for request in requests)).encode()

    @staticmethod
    def chat(requests, _):
        for request in requests:
            yield b"re:" + request

    def endless(self, _, context):
        context.add_callback(self.cancelled.set)
        while context.is_active():
            yield b"tick"
            time.sleep(0.01)


def calls(channel, server):
    def method(kind, name):
        return getattr(channel, kind)(f"/{SERVICE}/{name}")

    answer, call = method("unary_unary", "Unary").with_call(
        b"hello", timeout=20, metadata=(("x-asked", "yes"), ("x-raw-bin", b"\x01\x02")))
    check(answer == b"re:hello", answer)
    check(("x-first", "head") in call.initial_metadata(), call.initial_metadata())
    trailing = dict(call.trailing_metadata())
    check(trailing.get("x-last") == "tail" and trailing.get("x-bin") == b"\x00\xff", trailing)
    check(server.metadata.get("x-asked") == "yes" and
          server.metadata.get("x-raw-bin") == b"\x01\x02", server.metadata)
    check(method("unary_unary", "Unary")(LONG, timeout=20) == b"re:" + LONG, "a long message")

    counted = list(method("unary_stream", "Count")(b"500", timeout=20))
    check(counted == [str(number).encode() for number in range(500)], "server streaming")
    check(method("stream_unary", "Sum")(iter([LONG] * 20), timeout=20) ==
          str(20 * len(LONG)).encode(), "client streaming")

    # Each message waits for the answer to the one before: nothing may be held back on the way.
    answered = threading.Semaphore(1)

    def paced():
        for number in range(50):
            answered.acquire()
            yield str(number).encode()

    got = []
    for message in method("stream_stream", "Chat")(paced(), timeout=20):
        got.append(message)
        answered.release()
    check(got == [b"re:%d" % number for number in range(50)], f"bidi: {got}")

    for name, options, code in (("Fail", {"timeout": 20}, grpc.StatusCode.NOT_FOUND),
                                ("Sleep", {"timeout": 0.5}, grpc.StatusCode.DEADLINE_EXCEEDED),
                                ("Missing", {"timeout": 20}, grpc.StatusCode.UNIMPLEMENTED)):
        try:
            method("unary_unary", name)(b"", **options)
            raise harness.Failed(f"{name} went well")
        except grpc.RpcError as error:
            check(error.code() == code, f"{name}: {error}")
            if name == "Fail":
                check(error.details() == "no such thing: 100% \u00fc", error.details())

    server.cancelled.clear()
    ticks = method("unary_stream", "Endless")(b"", timeout=30)
    next(ticks)
    ticks.cancel()
    check(server.cancelled.wait(10), "the server did not see the cancellation")

    unary = method("unary_unary", "Unary")
    pending = [unary.future(b"%d" % number, timeout=30) for number in range(300)]
    check([each.result() for each in pending] == [b"re:%d" % number for number in range(300)],
          "300 at a time")


def unavailable(channel):
    try:
        channel.unary_unary(f"/{SERVICE}/Unary")(b"", timeout=20)
        raise harness.Failed("a call without a server went well")
    except grpc.RpcError as error:
        check(error.code() == grpc.StatusCode.UNAVAILABLE, f"without a server: {error}")


def prove(binary):
    harness.need("openssl")
    server = Server()
    stage = harness.Stage(binary, upstream="grpc_servers", top=f"""
upstreams:
  grpc_servers:
    servers: ["127.0.0.1:{server.port}"]
    http2: true
""")
    try:
        with grpc.insecure_channel(f"127.0.0.1:{stage.http}") as channel:
            calls(channel, server)
        with open(stage.ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        with grpc.secure_channel(f"localhost:{stage.https}", credentials) as channel:
            calls(channel, server)
            server.server.stop(0).wait(10)
            unavailable(channel)
        lines = stage.proxyd.access()
        check({line["server_protocol"] for line in lines} == {"HTTP/2.0"}, lines[-1])
    finally:
        server.server.stop(0)
        stage.close()
    return ("gRPC: unary, server, client and bidi streaming, metadata, trailers, error status, "
            "deadline, cancellation, 300 calls at a time, plain and TLS")


harness.main(prove)
