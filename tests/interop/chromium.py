"""Headless Chromium loads a page with 100 sub-resources and opens a WebSocket, over HTTP/2."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading

import harness
from harness import check

PAGE = """<!doctype html><title>interop</title>
%s
<script>
async function socket() {
  const ws = new WebSocket('wss://' + location.host + '/socket');
  const said = [];
  return new Promise((resolve, reject) => {
    ws.onopen = () => { for (let n = 0; n < 20; n++) ws.send('message ' + n); };
    ws.onmessage = (event) => {
      said.push(event.data);
      if (said.length === 20) { ws.close(); resolve(said); }
    };
    ws.onerror = () => reject(new Error('the socket failed'));
  });
}
window.onload = async () => {
  const result = {};
  try {
    const entries = performance.getEntriesByType('resource')
        .concat(performance.getEntriesByType('navigation'));
    result.protocols = {};
    for (const entry of entries) {
      const name = entry.nextHopProtocol;
      result.protocols[name] = (result.protocols[name] || 0) + 1;
    }
    result.loaded = window.loaded || 0;
    result.images = Array.from(document.images).filter((each) => each.naturalWidth === 1).length;
    result.socket = await socket();
    const big = await (await fetch('/big')).arrayBuffer();
    result.big = big.byteLength;
    const up = await fetch('/up', {method: 'POST', body: new Uint8Array(500000)});
    result.up = await up.text();
  } catch (error) { result.error = String(error); }
  await fetch('/result', {method: 'POST', body: JSON.stringify(result)});
};
</script>"""
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class Site:
    def __init__(self):
        parts = [f'<script src="/js/{n}.js"></script>' for n in range(40)]
        parts += [f'<img src="/img/{n}.gif">' for n in range(40)]
        parts += [f'<link rel="stylesheet" href="/css/{n}.css">' for n in range(20)]
        self.page = (PAGE % "\n".join(parts)).encode()
        self.result = None
        self.done = threading.Event()

    def __call__(self, handler):
        path = handler.path
        body = handler.body()
        if path == "/":
            handler.reply(200, self.page, "text/html")
        elif path.startswith("/js/"):
            handler.reply(200, b"window.loaded = (window.loaded || 0) + 1;", "text/javascript")
        elif path.startswith("/img/"):
            handler.reply(200, GIF, "image/gif")
        elif path.startswith("/css/"):
            handler.reply(200, b"body { color: black }", "text/css")
        elif path == "/big":
            handler.reply(200, b"x" * 3_000_000)
        elif path == "/result":
            self.result = json.loads(body)
            handler.reply(200, b"")
            self.done.set()
        else:
            handler.reply(200, str(len(body)).encode())


def key_hash(certificate):
    """What --ignore-certificate-errors-spki-list wants: SHA-256 of the public key."""
    pem = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"],
                         stdout=subprocess.PIPE, check=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=pem,
                         stdout=subprocess.PIPE, check=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def browse(stage, site):
    profile = tempfile.mkdtemp(prefix="proxyd-chromium-")
    out = open(os.path.join(stage.directory, "chromium.log"), "wb")
    browser = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-quic", f"--user-data-dir={profile}", "--remote-debugging-port=0",
         "--ignore-certificate-errors-spki-list=" + key_hash(stage.certificate),
         f"https://localhost:{stage.https}/"],
        stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "HOME": profile})
    try:
        if not site.done.wait(120):
            with open(out.name, encoding="utf-8", errors="replace") as file:
                raise harness.Failed(f"no result from the page:\n{file.read()[-2000:]}\n"
                                     f"{stage.proxyd.log()}\n{stage.proxyd.access()[-5:]}")
    finally:
        browser.terminate()
        try:
            browser.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(browser.pid, 9)
            browser.wait(20)
        out.close()
        shutil.rmtree(profile, ignore_errors=True)


def prove(binary):
    harness.need("chromium", "openssl")
    site = Site()
    stage = harness.Stage(binary, site)
    try:
        browse(stage, site)
        result = site.result
        check("error" not in result, result)
        check(result["protocols"] == {"h2": 101}, result["protocols"])
        check(result["loaded"] == 40 and result["images"] == 40, result)
        check(result["socket"] == [f"message {n}" for n in range(20)], result["socket"])
        check(result["big"] == 3_000_000 and result["up"] == "500000", result)
        lines = stage.proxyd.access()
        check({line["server_protocol"] for line in lines} == {"HTTP/2.0"},
              [line for line in lines if line["server_protocol"] != "HTTP/2.0"])
        check(any(line["request_uri"] == "/socket" for line in lines), "no line of the socket")
        upgrades = [fields for _, path, fields in stage.backend.seen if path == "/socket"]
        check(len(upgrades) == 1 and upgrades[0].get("Upgrade") == "websocket", upgrades)
    finally:
        stage.close()
    return ("Chromium: a page with 100 sub-resources, all h2, and a WebSocket by extended CONNECT "
            "with 20 echoed messages")


harness.main(prove)
