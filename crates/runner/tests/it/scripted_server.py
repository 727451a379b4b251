"""A server that answers as `answers.json` in its folder says: the first answer whose path
and words fit a request. What it was asked stands in `requests.jsonl`. For what a real
server cannot be made to say; what works is tested with a real server and a real model."""

import http.server
import json
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_expect_100(self):
        # Refused by its length alone: not a byte of it is read.
        if int(self.headers.get("content-length", 0)) > 20_000_000:
            self.close_connection = True
            self.send(413, "application/json", b'{"error":{"message":"too large"}}')
            return False
        return super().handle_expect_100()

    def answer(self):
        length = int(self.headers.get("content-length", 0))
        raw = self.rfile.read(length)
        text = raw.decode("utf-8", "replace")
        if self.path == "/health":
            return self.send(200, "application/json", b"{}")
        answers = json.load(open("answers.json"))
        early = self.path in ("/props", "/v1/models") or '"prompt":"Hi","max_tokens":1}' in text
        if early and not any(answer.get("path") == self.path for answer in answers if self.command == "GET"):
            # What is asked of a server that has just become ready, before any case.
            return self.send(404, "application/json", b'{"error":{"message":"Not Found"}}')
        kept = {"method": self.command, "path": self.path, "bytes": len(raw),
                "type": self.headers.get("content-type"), "text": text[:100000]}
        with open("requests.jsonl", "a") as log:
            log.write(json.dumps(kept) + "\n")
        for answer in answers:
            if answer.get("path", self.path) == self.path and answer.get("if", "") in text:
                return self.play(answer)
        return self.send(404, "application/json", b'{"error":{"message":"Not Found"}}')

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def play(self, answer):
        if "events" in answer:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for event in answer["events"]:
                line = event if isinstance(event, str) else "data: " + json.dumps(event) + "\n\n"
                self.wfile.write(line.encode())
                self.wfile.flush()
                time.sleep(0.005)
            self.close_connection = True
            return None
        if "exit" in answer:
            sys.stdout.flush()
            import os
            os._exit(answer["exit"])
        body = answer["body"]
        if isinstance(body, str):
            return self.send(answer.get("status", 200), answer.get("type", "text/plain"), body.encode())
        return self.send(answer.get("status", 200), "application/json", json.dumps(body).encode())

    def send(self, status, kind, data):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
