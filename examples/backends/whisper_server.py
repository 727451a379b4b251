"""Transcribes speech with Whisper: `/v1/audio/transcriptions` as OpenAI has it.

Takes multipart forms with `file`, `language`, `prompt`, `temperature` and
`response_format` (json, text, verbose_json, srt, vtt).
"""

import io
import os
import sys
from email.parser import BytesHeaderParser
from typing import Any

import av
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio

from model_http import ModelServer, Refusal, Request, folder, parser

FORMATS = ("json", "text", "verbose_json", "srt", "vtt")
# Samples a second of what decode_audio gives.
RATE = 16_000


def form(request: Request) -> dict[str, bytes]:
    """The fields of a multipart form."""
    body = request.body()
    kind = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n"
    headers = BytesHeaderParser().parsebytes(kind.encode("latin-1"))
    boundary = headers.get_boundary()
    if headers.get_content_type() != "multipart/form-data" or not boundary:
        raise Refusal(400, "the body must be multipart/form-data with a boundary")
    fields = {}
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return fields
        head, blank, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        part = BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
        name = part.get_param("name", header="content-disposition")
        if not blank or not isinstance(name, str):
            raise Refusal(400, "a part of the form has no name")
        fields[name] = content
    raise Refusal(400, "the form breaks off before its last boundary")


def text_of(fields: dict[str, bytes], name: str, default: str = "") -> str:
    return fields[name].decode("utf-8", "replace").strip() if name in fields else default


def clock(seconds: float, mark: str) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"


def captions(segments: list[Any], mark: str, numbered: bool) -> str:
    blocks = []
    for n, segment in enumerate(segments, 1):
        head = f"{n}\n" if numbered else ""
        span = f"{clock(segment.start, mark)} --> {clock(segment.end, mark)}"
        blocks.append(f"{head}{span}\n{segment.text.strip()}\n")
    return "\n".join(blocks)


def transcribe(request: Request, model: WhisperModel) -> None:
    fields = form(request)
    if not fields.get("file"):
        raise Refusal(422, "the form has no file, or an empty one")
    wanted = text_of(fields, "response_format", "json")
    if wanted not in FORMATS:
        raise Refusal(422, f"response_format {wanted!r}: not one of {', '.join(FORMATS)}")
    language = text_of(fields, "language") or None
    if language and language not in model.supported_languages:
        raise Refusal(422, f"language {language!r}: not one that the model knows")
    if text_of(fields, "stream", "false") != "false":
        raise Refusal(422, "stream: answers come in one piece here")
    try:
        temperature = float(text_of(fields, "temperature", "0"))
    except ValueError:
        raise Refusal(422, "temperature: not a number") from None
    try:
        audio = decode_audio(io.BytesIO(fields["file"]), sampling_rate=RATE)
    except (av.FFmpegError, IndexError, ValueError):
        raise Refusal(400, "the file cannot be read as audio", "invalid_audio") from None

    with request.server.one_at_a_time:
        found, info = model.transcribe(
            audio,
            language=language,
            temperature=temperature,
            initial_prompt=text_of(fields, "prompt") or None,
        )
        segments = list(found)
    text = "".join(segment.text for segment in segments).strip()
    seconds = round(len(audio) / RATE, 3)
    usage = {"type": "duration", "seconds": seconds}
    match wanted:
        case "json":
            request.send_json(200, {"text": text, "usage": usage})
        case "verbose_json":
            verbose = {
                "task": "transcribe",
                "language": info.language,
                "duration": seconds,
                "text": text,
                "segments": [
                    {"id": n, "start": s.start, "end": s.end, "text": s.text}
                    for n, s in enumerate(segments)
                ],
                "usage": usage,
            }
            request.send_json(200, verbose)
        case "text":
            request.send_body(200, "text/plain; charset=utf-8", f"{text}\n".encode())
        case "srt":
            body = captions(segments, ",", numbered=True)
            request.send_body(200, "application/x-subrip; charset=utf-8", body.encode())
        case "vtt":
            body = "WEBVTT\n\n" + captions(segments, ".", numbered=False)
            request.send_body(200, "text/vtt; charset=utf-8", body.encode())


def main() -> int:
    flags = parser("whisper-server", __doc__)
    flags.add_argument("-m", "--model", type=folder, required=True, help="folder of a CTranslate2 model")
    flags.add_argument("-t", "--threads", type=int, default=os.cpu_count(), help="threads")
    args = flags.parse_args()

    def load() -> WhisperModel:
        return WhisperModel(str(args.model), device="cpu", compute_type="int8", cpu_threads=args.threads)

    path = "/v1/audio/transcriptions"
    return ModelServer(args, args.model.name, path, load, transcribe).run()


if __name__ == "__main__":
    sys.exit(main())
