"""openssl s_client: versions, resumption, SNI, ALPN, client certificates, renegotiation."""
import os
import re
import shutil
import subprocess
import tempfile

import harness
from harness import check


class Client:
    def __init__(self, stage):
        self.stage = stage

    def __call__(self, *arguments, name="app.test", typed=b""):
        """Output of s_client; `typed` goes in when the handshake is over."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.stage.https}",
                   "-CAfile", self.stage.ca, *(["-servername", name] if name else ["-noservername"]),
                   *arguments]
        done = subprocess.run(command, input=typed, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30, check=False)
        return done.stdout.decode(errors="replace")


REQUEST = b"GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"


def versions(client):
    for version, said in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        text = client(version, "-ign_eof", typed=REQUEST)
        check(f"New, {said}" in text and "200 OK" in text, f"{version}: {text[-1500:]}")
        check("Verify return code: 0 (ok)" in text, f"{version}: {text[-1500:]}")
    for version in ("-tls1", "-tls1_1"):
        text = client(version, "-cipher", "ALL:@SECLEVEL=0")
        check("New, (NONE)" in text and ("alert protocol version" in text or "no protocols"
                                         in text), f"{version} was taken: {text[-1500:]}")


def resumption(client, directory):
    for version in ("-tls1_2", "-tls1_3"):
        path = os.path.join(directory, "session" + version)
        client(version, "-ign_eof", "-sess_out", path, typed=REQUEST)
        for _ in range(4):  # whichever worker takes it
            text = client(version, "-ign_eof", "-sess_in", path, typed=REQUEST)
            check("Reused, TLSv1" in text and "200 OK" in text,
                  f"{version} was not resumed: {text[-2500:]}")
    text = client("-tls1_3", "-ign_eof", typed=REQUEST)
    early = re.search(r"Max Early Data: (\d+)", text)
    check(early is None or early.group(1) == "0", "early data is offered")


def names(client):
    text = client(name="app.test")
    check("subject=CN = app.test" in text, text[:1500])
    text = client(name="wild.apps.test")
    check("subject=CN = *.apps.test" in text, text[:1500])
    for unknown in ("nobody.test", ""):
        text = client(name=unknown)
        check("unrecognized name" in text and "no peer certificate" in text,
              f"'{unknown}' was served: {text[:1500]}")


def alpn(client):
    for offer, said in (("h2,http/1.1", "h2"), ("http/1.1", "http/1.1"), ("h2", "h2"),
                        ("http/1.1,h2", "h2")):
        text = client("-alpn", offer)
        check(f"ALPN protocol: {said}" in text, f"{offer}: {text[-1500:]}")
    text = client("-alpn", "spdy/3")
    check("no application protocol" in text, f"spdy/3: {text[-1500:]}")
    check("No ALPN negotiated" in client(), "ALPN without an offer")


def client_certificates(client, certificates):
    stranger_directory = os.path.join(certificates.directory, "stranger")
    os.mkdir(stranger_directory)
    stranger = harness.Certificates(stranger_directory).issue("stranger", ["eve"], client=True)
    known = certificates.issue("client", ["alice"], client=True)
    request = REQUEST.replace(b"app.test", b"mutual.test")
    for version in ("-tls1_2", "-tls1_3"):
        text = client(version, "-ign_eof", "-cert", known[0], "-key", known[1],
                      name="mutual.test", typed=request)
        check("200 OK" in text and "verified SUCCESS CN=alice" in text,
              f"{version}: {text[-2500:]}")
        for arguments in ((), ("-cert", stranger[0], "-key", stranger[1])):
            text = client(version, "-ign_eof", *arguments, name="mutual.test", typed=request)
            check("200 OK" not in text and "alert" in text,
                  f"{version} {arguments} was let in: {text[-1500:]}")


def renegotiation(client):
    # A line with R asks for it; TLS 1.2 only. The server refuses and the client says so.
    text = client("-tls1_2", typed=b"R\n")
    check("no renegotiation" in text.lower() or "RENEGOTIATING" in text, text[-1500:])
    check("200 OK" not in text and text.count("Verify return code") <= 1, text[-1500:])


def prove(binary):
    harness.need("openssl")
    extra = tempfile.mkdtemp(prefix="proxyd-interop-")
    certificates = harness.Certificates(extra)
    wild = certificates.issue("wild", ["*.apps.test"])
    mutual = certificates.issue("mutual", ["mutual.test"])
    stage = harness.Stage(binary, host=f"""  "*.apps.test":
    return: 200
    tls: {{ certificate: {wild[0]}, key: {wild[1]} }}
  mutual.test:
    return: {{ status: 200, body: "verified $ssl_client_verify $ssl_client_s_dn" }}
    tls: {{ certificate: {mutual[0]}, key: {mutual[1]}, client_ca: {certificates.ca} }}
""")
    try:
        client = Client(stage)
        versions(client)
        resumption(client, stage.directory)
        names(client)
        alpn(client)
        client_certificates(client, certificates)
        renegotiation(client)
    finally:
        stage.close()
        shutil.rmtree(extra, ignore_errors=True)
    return ("s_client: TLS 1.2 and 1.3 only, resumption of both, SNI, ALPN, client certificates, "
            "no renegotiation, no early data")


harness.main(prove)
