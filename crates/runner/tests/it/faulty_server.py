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
        if self.path == "/api/version":
            return self.answer(200, {"version": "0.32.5"})
        if self.path == "/props":
            return self.answer(200, {"build_info": "b8994-aab68217b"})
        return self.answer(503 if FAULT == "never-ready" else 200, {"status": "ok"})

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/api/generate":
            if FAULT == "no-model":
                return self.answer(404, {"error": "model 'm' not found"})
            time.sleep(0.2)
            return self.answer(200, {"model": json.loads(request)["model"], "done": True})
        if self.path == "/api/show":
            info = {"general.architecture": "llama", "general.parameter_count": 8030261248,
                    "llama.context_length": 8192}
            return self.answer(200, {"details": {"quantization_level": "Q4_0"}, "model_info": info})
        if b'"max_tokens":1' in request and FAULT not in ("die-first", "echo-401"):
            # The first token, by which a load is timed: faults are those of cases.
            return self.answer(200, body("h"))
        if FAULT == "die-first":
            os._exit(9)
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
        if FAULT in ("log", "moody", "die-later"):
            content = json.loads(request)["messages"][0]["content"]
            with open("asked.log", "a") as log:
                print(content, file=log)
            time.sleep(0.02)
            number = int(content)
            if FAULT == "die-later" and number == 30:
                os._exit(3)
            asked = open("asked.log").read().split().count(content)
            if FAULT == "moody" and number % 20 == 3 and asked == 1:
                return self.answer(429, {"error": {"message": "slow down"}})
            if FAULT == "moody" and number % 20 == 7 and asked == 1:
                self.connection.shutdown(2)
                return None
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
        if FAULT == "die-after":
            print("had enough", flush=True)
            threading.Timer(0.1, os._exit, [4]).start()


if FAULT == "exit":
    print("no such model", file=sys.stderr, flush=True)
    sys.exit(7)
if FAULT == "deaf":
    time.sleep(3600)
if FAULT == "child":
    # A grandchild that must not outlive the run.
    subprocess.Popen(["sleep", "3600"])
if FAULT == "daemon" and os.fork() == 0:
    # Two forks and a session of its own, with the port: nobody's child, in no group of
    # ours, and TERM does not impress it.
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("daemon", os.getpid(), flush=True)
elif FAULT == "daemon":
    os.wait()
    time.sleep(3600)
if FAULT == "chatty":
    lines = (f"line {n} of far too many that nobody asked for\n" for n in range(400_000))
    sys.stdout.write("".join(lines))
if FAULT == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", os.getpid(), flush=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
if FAULT == "hidden" and os.fork() == 0:
    # As above, but without the environment that it was given: nobody can tell whose it
    # is. It keeps the port a while.
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    server.socket.set_inheritable(True)
    os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(25)"], {})
server.serve_forever()
