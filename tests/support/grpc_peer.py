"""A gRPC server or client with the stock library, for messages of plain bytes.

grpc_peer.py server PORT            serves until it is killed; prints "ready"
grpc_peer.py client PORT CHECK...   runs the checks; prints "ok CHECK" for each
"""
import sys
import threading
import time
from concurrent import futures

import grpc

NAME = "test.Echo"
ended = threading.Semaphore(0)


def unary(request, context):
    seen = dict(context.invocation_metadata())
    context.set_trailing_metadata((("x-trailing", "behind"), ("x-bytes-bin", b"\x00\xff")))
    return request + seen.get("x-more", "").encode()


def server_stream(request, context):
    for number in range(int(request)):
        yield b"%d" % number


def client_stream(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def bidi(requests, context):
    for request in requests:
        yield b"re:" + request


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")


def endless(request, context):
    context.add_callback(ended.release)
    yield b"first"
    while context.is_active():
        time.sleep(0.01)


def wait_ended(request, context):
    return b"yes" if ended.acquire(timeout=10) else b"no"


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(64))
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Endless": grpc.unary_stream_rpc_method_handler(endless),
        "WaitEnded": grpc.unary_unary_rpc_method_handler(wait_ended),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    if server.add_insecure_port("127.0.0.1:%d" % port) != port:
        sys.exit("cannot listen")
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


class Client:
    LIMIT = 20

    def __init__(self, port):
        self.channel = grpc.insecure_channel("127.0.0.1:%d" % port)

    def path(self, method):
        return "/%s/%s" % (NAME, method)

    def call(self, method, request, **more):
        more.setdefault("timeout", self.LIMIT)
        return self.channel.unary_unary(self.path(method))(request, **more)

    def unary(self):
        stub = self.channel.unary_unary(self.path("Unary"))
        answer, call = stub.with_call(b"hello ", metadata=(("x-more", "there"),),
                                      timeout=self.LIMIT)
        assert answer == b"hello there", answer
        trailing = dict(call.trailing_metadata())
        assert trailing["x-trailing"] == "behind", trailing
        assert trailing["x-bytes-bin"] == b"\x00\xff", trailing

    def large(self):
        data = bytes(range(256)) * 12000
        assert self.call("Unary", data) == data

    def many(self):
        stub = self.channel.unary_unary(self.path("Unary"))
        calls = [stub.future(b"%d" % n, timeout=self.LIMIT) for n in range(200)]
        assert [c.result() for c in calls] == [b"%d" % n for n in range(200)]

    def server_stream(self):
        stub = self.channel.unary_stream(self.path("ServerStream"))
        got = list(stub(b"500", timeout=self.LIMIT))
        assert got == [b"%d" % n for n in range(500)]

    def client_stream(self):
        stub = self.channel.stream_unary(self.path("ClientStream"))
        assert stub((b"x" * 1000 for _ in range(500)), timeout=self.LIMIT) == b"500000"

    def bidi(self):
        # Each message is sent only when the answer to the one before is here.
        turn = threading.Semaphore(1)

        def messages():
            for number in range(50):
                assert turn.acquire(timeout=self.LIMIT)
                yield b"%d" % number

        stub = self.channel.stream_stream(self.path("Bidi"))
        count = 0
        for answer in stub(messages(), timeout=self.LIMIT):
            assert answer == b"re:%d" % count
            count += 1
            turn.release()
        assert count == 50

    def expect(self, code, call):
        try:
            call()
        except grpc.RpcError as error:
            assert error.code() == code, (error.code(), error.details())
            return error
        raise AssertionError("no error")

    def fail(self):
        error = self.expect(grpc.StatusCode.NOT_FOUND, lambda: self.call("Fail", b""))
        assert error.details() == "no such thing"

    def unknown(self):
        self.expect(grpc.StatusCode.UNIMPLEMENTED, lambda: self.call("Nobody", b""))

    def deadline(self):
        stub = self.channel.unary_stream(self.path("Endless"))
        self.expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: list(stub(b"", timeout=0.3)))
        assert self.call("WaitEnded", b"") == b"yes"

    def cancel(self):
        call = self.channel.unary_stream(self.path("Endless"))(b"", timeout=self.LIMIT)
        assert next(call) == b"first"
        call.cancel()
        assert self.call("WaitEnded", b"") == b"yes"

    def down(self):
        error = self.expect(grpc.StatusCode.UNAVAILABLE, lambda: self.call("Unary", b""))
        assert "upstream" in error.details(), error.details()

    def late(self):
        error = self.expect(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: self.call("Unary", b""))
        assert "timeouts.read" in error.details(), error.details()


def main():
    port = int(sys.argv[2])
    if sys.argv[1] == "server":
        serve(port)
    client = Client(port)
    for check in sys.argv[3:]:
        getattr(client, check)()
        print("ok " + check, flush=True)


main()
