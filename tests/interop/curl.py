"""curl over every version on one TLS port, and HTTP/2 by prior knowledge on a plain one."""
import harness
from harness import check


def status_of(stage, version, *arguments, tls=True):
    done = stage.curl(version, "-o", "/dev/null", "-w", "%{http_version} %{response_code}",
                      *arguments, stage.url("/curl", tls), tls=tls)
    return done.stdout


def prove(binary):
    harness.need("curl", "openssl")
    stage = harness.Stage(binary, host="    security_headers: true")
    try:
        for version, said in (("--http2", "2 200"), ("--http1.1", "1.1 200"),
                              ("--http2-prior-knowledge", "2 200")):
            got = status_of(stage, version)
            check(got == said, f"{version} over TLS: {got}")
        for version, said in (("--http2-prior-knowledge", "2 200"), ("--http1.1", "1.1 200"),
                              ("--http2", "1.1 200")):
            got = status_of(stage, version, tls=False)
            check(got == said, f"{version} on the plain port: {got}")
        # An upload with a length and one without, an answer's size, Expect, HEAD, many at a time.
        body = stage.directory + "/body"
        with open(body, "wb") as file:
            file.write(b"x" * 3_000_000)
        for version in ("--http2", "--http1.1"):
            done = stage.curl(version, "-T", body, "-H", "Expect: 100-continue", stage.url("/up"))
            check(done.stdout == "PUT /up 3000000", f"upload {version}: {done.stdout[:200]}")
            done = stage.curl(version, "-X", "POST", "-H", "Transfer-Encoding: chunked", "-d",
                              "hello", stage.url("/chunks"))
            check(done.stdout == "POST /chunks 5", f"chunks {version}: {done.stdout[:200]}")
        head = stage.curl("--http2", "-I", stage.url("/head")).stdout
        check(head.startswith("HTTP/2 200"), head)
        names = [line.split(":")[0] for line in head.splitlines()[1:] if ":" in line]
        check(all(name == name.lower() for name in names), f"names are not lower case: {names}")
        check("strict-transport-security: max-age=63072000" in head, f"no HSTS: {head}")
        done = stage.curl("--http2", "--parallel", "--parallel-max", "50", "-o", "/dev/null",
                          "-w", "%{http_version} %{response_code}\\n", stage.url("/[1-200]"))
        check(done.stdout.split("\n").count("2 200") == 200, f"200 in parallel: {done.stdout}")
        unknown = stage.curl("--http2", "-o", "/dev/null", "-w", "%{response_code}", "-H",
                             "Host: nobody.test", stage.url())
        check(unknown.stdout == "421", f"unknown host over HTTP/2: {unknown.stdout}")
        lines = stage.proxyd.access()
        check({line["server_protocol"] for line in lines} == {"HTTP/1.1", "HTTP/2.0"}, lines[-1])
    finally:
        stage.close()
    return "curl: h2 by ALPN and prior knowledge and HTTP/1.1 on one port, uploads, 200 in parallel"


harness.main(prove)
