"""A server whose figures can be told beforehand: a token is a word, and each of an answer
takes 5 ms. Its argument names what is wrong with it. What works is measured with a real
server and a real model."""

import http.server
import json
import os
import sys
import time

FAULT, PORT = sys.argv[1], int(sys.argv[2])
STEP_S = 0.005
asked = 0


def words(body):
    texts = [message["content"] for message in body.get("messages", [])] + [body.get("prompt", "")]
    return " ".join(texts).split()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(200, {"status": "ok"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with open("asked.jsonl", "a") as log:
            print(json.dumps({"path": self.path, **body}), file=log)
        if self.path in ("/apply-template", "/tokenize") and FAULT == "no-tokenizer":
            return self.answer(404, {"error": {"message": "Not Found"}})
        if self.path == "/apply-template":
            return self.answer(200, {"prompt": " ".join(words(body))})
        if self.path == "/tokenize":
            return self.answer(200, {"tokens": list(range(len(body["content"].split())))})
        self.generate(body)

    def generate(self, body):
        global asked
        wanted = body.get("max_tokens", 16)
        if wanted > 1:
            asked += 1
        if FAULT == "die-third" and asked == 3:
            print("out of memory", flush=True)
            os._exit(3)
        if FAULT == "refuse-third" and asked == 3:
            return self.answer(500, {"error": {"message": "cuda went away"}})
        n = wanted if body.get("ignore_eos") and FAULT != "short" else min(wanted, 8)
        prompt = len(words(body))
        cached = prompt - 1 if FAULT == "cached" else 0
        text = "4" if FAULT != "wrong-second" or asked != 2 else "5"
        events = [{"choices": [{"delta": {"role": "assistant", "content": None}}]}]
        if FAULT == "calls":
            call = {"index": 0, "id": "c", "function": {"name": "search", "arguments": '{"q": "x"}'}}
            events += [{"choices": [{"delta": {"tool_calls": [call]}}]}]
        events += [{"choices": [{"delta": {"content": f"{text} " if i else text}}]} for i in range(n)]
        events += [{"choices": [{"delta": {}, "finish_reason": "length" if n == wanted else "stop"}]}]
        usage = {"prompt_tokens": prompt, "completion_tokens": n, "total_tokens": prompt + n,
                 "prompt_tokens_details": {"cached_tokens": cached}}
        last = {"choices": [], "usage": usage}
        if FAULT == "slow-clock":
            last["timings"] = {"prompt_n": prompt, "prompt_ms": 1.0, "predicted_n": n, "predicted_ms": n * 1000.0}
        if not body.get("stream"):
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            return self.answer(200, {"choices": [choice], "usage": usage})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in [*events, last]:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
            if event["choices"] and event["choices"][0]["delta"].get("content"):
                time.sleep(STEP_S)
        self.wfile.write(b"data: [DONE]\n\n")


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
