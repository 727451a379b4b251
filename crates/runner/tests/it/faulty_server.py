"""A chat server that fails in the way its argument names. Only for provoking faults:
what works is tested with a real server and a real model."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

FAULT, PORT = sys.argv[1], int(sys.argv[2])


def body(text="hello"):
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"choices": [choice], "usage": usage}


def chunk(content=None, finish=None, **delta):
    if content is not None:
        delta["content"] = content
    return {"choices": [{"delta": delta, "finish_reason": finish}]}


def first_time():
    """Whether nobody asked this before, in this folder, over all lives of the server."""
    try:
        open("asked", "x").close()
    except FileExistsError:
        return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, content, kind="application/json"):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def events(self, *events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in events:
            text = event if isinstance(event, str) else "data: " + json.dumps(event) + "\n\n"
            self.wfile.write(text.encode())
            self.wfile.flush()
            time.sleep(0.02)

    def do_GET(self):
        self.answer(503 if FAULT == "never-ready" else 200, {"status": "ok"})

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("content-length", 0)))
        if FAULT.startswith("busy-") and first_time():
            self.send_response(int(FAULT.removeprefix("busy-")))
            self.send_header("retry-after", "1")
            self.send_header("content-length", "0")
            self.end_headers()
            return None
        if FAULT == "die" or FAULT == "die-once" and first_time():
            print("about to die", flush=True)
            os._exit(3)
        if FAULT == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if FAULT == "hang":
            time.sleep(3600)
        if FAULT == "garbage":
            return self.answer(200, b"<html>oops</html>", "text/html")
        if FAULT == "no-choices":
            return self.answer(200, {"ok": True})
        if FAULT == "500":
            return self.answer(500, {"error": {"message": "cuda went away"}})
        if FAULT == "half":
            return self.events(chunk(role="assistant"), chunk("he"))
        if FAULT == "role-first":
            time.sleep(0.05)
            return self.events(
                ": keepalive 1/2\n\n",
                chunk(role="assistant"),
                ": keepalive 2/2\n\n",
                chunk("he"),
                chunk("llo"),
                chunk(finish="stop"),
                {"choices": [], "usage": body()["usage"]},
                "data: [DONE]\n\n",
            )
        if FAULT == "no-usage":
            return self.answer(200, {"choices": body()["choices"]})
        if FAULT == "echo-key":
            return self.answer(200, body(self.headers.get("authorization", "none")))
        if FAULT == "echo-401":
            key = self.headers.get("authorization", "none")
            return self.answer(401, {"error": {"message": "bad key " + key}})
        if FAULT == "reset":
            self.connection.shutdown(2)
            self.connection.close()
            return None
        self.answer(200, body())


if FAULT == "exit":
    print("no such model", file=sys.stderr, flush=True)
    sys.exit(7)
if FAULT == "deaf":
    time.sleep(3600)
if FAULT == "child":
    # A grandchild that must not outlive the run.
    subprocess.Popen(["sleep", "3600"])
if FAULT == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", os.getpid(), flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
