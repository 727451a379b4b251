"""Reads the text in pictures: `/v1/chat/completions` with `image_url` parts.

It is a reader and not a language model: it answers with what stands in the pictures of
the last user message, in order, a line for a line. A token here is a word.
"""

import base64
import binascii
import io
import json
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image
from rapidocr_onnxruntime import RapidOCR

from model_http import ModelServer, Refusal, Request, parser


def pictures(body: Any) -> list[Image.Image]:
    """The pictures of the last user message."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise Refusal(400, "messages must be a list of messages")
    content = next((m.get("content") for m in reversed(messages) if m.get("role") == "user"), None)
    parts = content if isinstance(content, list) else []
    found = [p for p in parts if isinstance(p, dict) and p.get("type") == "image_url"]
    if not found:
        raise Refusal(400, "this server reads pictures: send an image_url part with a data URL")
    return [picture(part.get("image_url")) for part in found]


def picture(value: Any) -> Image.Image:
    url = value.get("url") if isinstance(value, dict) else value
    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise Refusal(400, "image_url must be a data URL: data:image/png;base64,...")
    try:
        return Image.open(io.BytesIO(base64.b64decode(data, validate=True))).convert("RGB")
    # Pillow's decoders raise what they like on broken files.
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Refusal(400, "a picture cannot be read", "invalid_image") from None


def read(model: RapidOCR, image: Image.Image) -> str:
    # Colours the other way round, as OpenCV has them.
    lines, _ = model(np.asarray(image)[:, :, ::-1])
    return "\n".join(line for _, line, _ in lines or [])


def tokens(texts: list[str]) -> list[str]:
    """Words with the white space before them."""
    out, start = [], 0
    text = "\n".join(texts)
    for word in text.split():
        end = text.index(word, start) + len(word)
        out.append(text[start:end])
        start = end
    return out


def prompt_words(body: Any) -> int:
    texts = []
    for message in body["messages"]:
        content = message.get("content")
        parts = content if isinstance(content, list) else [{"text": content}]
        texts += [part.get("text") for part in parts if isinstance(part, dict)]
    return sum(len(text.split()) for text in texts if isinstance(text, str))


def complete(request: Request, model: RapidOCR) -> None:
    try:
        body = json.loads(request.body())
    except ValueError:
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "the body must be an object")
    limit = body.get("max_tokens", body.get("max_completion_tokens"))
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise Refusal(400, "max_tokens must be a whole number, 1 or more")
    images = pictures(body)
    with request.server.one_at_a_time:
        words = tokens([read(model, image) for image in images])
    said = words[:limit]
    reason = "stop" if len(said) == len(words) else "length"
    prompt = prompt_words(body)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(said),
        "total_tokens": prompt + len(said),
    }
    frame = {
        "id": f"chatcmpl-{uuid.uuid4()}",
        "object": "chat.completion.chunk" if body.get("stream") else "chat.completion",
        "created": int(time.time()),
        "model": request.server.model_name,
    }
    if not body.get("stream"):
        message = {"role": "assistant", "content": "".join(said)}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        request.send_json(200, {**frame, "choices": [choice], "usage": usage})
        return

    def events() -> Iterator[object]:
        def chunk(delta: dict[str, str], reason: str | None = None) -> object:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            return {**frame, "choices": [choice]}

        yield chunk({"role": "assistant", "content": ""})
        for word in said:
            yield chunk({"content": word})
        yield chunk({}, reason)
        if (body.get("stream_options") or {}).get("include_usage"):
            yield {**frame, "choices": [], "usage": usage}

    request.send_events(events())


def main() -> int:
    args = parser("ocr-server", __doc__).parse_args()
    server = ModelServer(args, "rapidocr", "/v1/chat/completions", RapidOCR, complete)
    return server.run()


if __name__ == "__main__":
    sys.exit(main())
