"""What the small model servers here share: HTTP with OpenAI's shapes of answers.

A server opens its port at once, loads its model meanwhile, says 503 until it has it,
and ends on TERM and INT. Nothing of what requests contain is logged.
"""

import argparse
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What is read and thrown away of a body that is too large, so that who sends it gets
# to read why; beyond this the connection is closed.
PATIENCE_BYTES = 1 << 30
PIECE_BYTES = 1 << 16


class Refusal(Exception):
    """Why a request is not done."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def parser(prog: str, description: str | None) -> argparse.ArgumentParser:
    """The flags that every server has."""
    out = argparse.ArgumentParser(prog=prog, description=description, allow_abbrev=False)
    out.add_argument("--host", default="127.0.0.1", help="address to listen on")
    out.add_argument("--port", type=int, default=8080, help="port to listen on")
    out.add_argument("-a", "--alias", help="name of the model in answers")
    out.add_argument("--max-body-mb", type=float, default=32, help="largest request, in 10^6 bytes")
    return out


class ModelServer(ThreadingHTTPServer):
    """One model behind one path.

    `load` makes the model; `answer(request, model)` does one POST to `path`.
    """

    daemon_threads = True

    def __init__(
        self,
        args: argparse.Namespace,
        name: str,
        path: str,
        load: Callable[[], Any],
        answer: Callable[["Request", Any], None],
    ) -> None:
        self.model_name = args.alias or name
        self.path, self.load, self.answer = path, load, answer
        self.max_body = int(args.max_body_mb * 1e6)
        self.model: Any = None
        # The models here use all the cores for one request.
        self.one_at_a_time = threading.Lock()
        super().__init__((args.host, args.port), Request)

    def run(self) -> int:
        """Serves until TERM or INT."""
        # Blocked before there are threads, so that they inherit it and the signal comes
        # to sigwait below and nowhere else.
        stops = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        threading.Thread(target=self.load_model, daemon=True).start()
        host, port = self.server_address[:2]
        print(f"listening on http://{host}:{port}", file=sys.stderr, flush=True)
        signal.sigwait(stops)
        # A model may be at work in native code; the process is the unit.
        os._exit(0)

    def load_model(self) -> None:
        try:
            self.model = self.load()
        except Exception:
            traceback.print_exc()
            os._exit(1)
        print("the model is loaded", file=sys.stderr, flush=True)


class Request(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server_version = "examples"
    server: ModelServer

    def do_GET(self) -> None:
        if self.path == "/health":
            ready = self.server.model is not None
            self.send_json(200 if ready else 503, {"status": "ok" if ready else "loading model"})
        elif self.path == "/v1/models":
            model = {"id": self.server.model_name, "object": "model", "owned_by": "examples"}
            self.send_json(200, {"object": "list", "data": [model]})
        else:
            self.refuse(Refusal(404, f"no such path: {self.path}"))

    def do_POST(self) -> None:
        try:
            if self.path != self.server.path:
                self.close_connection = True
                raise Refusal(404, f"no such path: {self.path}")
            if self.server.model is None:
                self.close_connection = True
                raise Refusal(503, "the model is still loading")
            self.server.answer(self, self.server.model)
        except Refusal as refusal:
            self.refuse(refusal)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception:
            traceback.print_exc()
            self.refuse(Refusal(500, "internal error"))

    def handle_expect_100(self) -> bool:
        # Who asks before it sends is told before it sends.
        if self.length() > self.server.max_body:
            self.close_connection = True
            self.refuse(self.too_large())
            return False
        return super().handle_expect_100()

    def length(self) -> int:
        text = self.headers.get("content-length", "")
        if not text.isascii() or not text.isdigit():
            self.close_connection = True
            raise Refusal(411, "a request needs a Content-Length")
        return int(text)

    def too_large(self) -> Refusal:
        limit = self.server.max_body / 1e6
        return Refusal(413, f"the request is larger than {limit:g} MB", "request_too_large")

    def body(self) -> bytes:
        """The body, when it is not too large."""
        length = self.length()
        if length <= self.server.max_body:
            return self.rfile.read(length)
        self.close_connection = True
        left = min(length, PATIENCE_BYTES)
        while left > 0 and (piece := self.rfile.read(min(left, PIECE_BYTES))):
            left -= len(piece)
        raise self.too_large()

    def send_body(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, status: int, value: object) -> None:
        self.send_body(status, "application/json", json.dumps(value).encode())

    def send_events(self, events: Iterable[object]) -> None:
        """Server-sent events, each when it comes, ended by [DONE]."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def refuse(self, refusal: Refusal) -> None:
        kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
        error = {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}
        self.send_json(refusal.status, {"error": error})

    def log_message(self, format: str, *args: object) -> None:
        print(f"{self.address_string()} {format % args}", file=sys.stderr, flush=True)


def folder(text: str) -> Path:
    """A folder that exists, for `type=` of an argument."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"no such folder: {text}")
    return path
