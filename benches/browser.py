"""Drives an installed Chromium over its debugging pipe: JSON messages that end with a zero byte."""

import json
import os
import shutil
import subprocess
import tempfile
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Browser:
    def __init__(self, width=1400, height=1000):
        names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        chromium = next(filter(None, map(shutil.which, names)), None)
        if chromium is None:
            raise SystemExit("no Chromium is installed")
        self.profile = tempfile.TemporaryDirectory()
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()
        # The browser reads file descriptor 3 and writes file descriptor 4.
        script = f'exec 3<&{their_in} 4>&{their_out}; exec "$@"'
        self.process = subprocess.Popen(
            ["bash", "-c", script, "bash", chromium, *FLAGS, f"--window-size={width},{height}", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile.name}"],
            pass_fds=(their_in, their_out), stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.out, self.input = our_out, os.fdopen(our_in, "rb", buffering=0)
        self.pending, self.number, self.session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.pending:
                self.pending += self.input.read(1 << 20)
            line, self.pending = self.pending.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(answer["error"]["message"])
                return answer["result"]

    def js(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def open(self, path, until="performance.getEntriesByName('drawn').length > 0", timeout=120):
        self.call("Page.navigate", url=f"file://{path}")
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                if self.js(until):
                    return
            except RuntimeError:
                pass  # the old document goes away meanwhile
            time.sleep(0.05)
        raise RuntimeError(f"{path} was not drawn in {timeout} s")

    def key(self, key):
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()
        self.profile.cleanup()
