"""Runs llama.cpp's own HTTP server from the `xllamacpp` wheel.

Takes the flags of llama-server that suites use and refuses the others, so that a
typing error is not silently another measurement. Ends on TERM and INT.
"""

import argparse
import os
import signal
import sys

import xllamacpp

POOLING = ["none", "mean", "cls", "last", "rank"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llama-server", description=__doc__, allow_abbrev=False)
    parser.add_argument("-m", "--model", help="model file in GGUF")
    parser.add_argument("-a", "--alias", help="name of the model in answers")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on")
    parser.add_argument("-c", "--ctx-size", type=int, default=4096, help="context in tokens")
    parser.add_argument("-t", "--threads", type=int, default=os.cpu_count(), help="threads")
    parser.add_argument("-np", "--parallel", type=int, default=1, help="requests at a time")
    parser.add_argument("-b", "--batch-size", type=int, help="logical batch in tokens")
    parser.add_argument("-ub", "--ubatch-size", type=int, help="physical batch in tokens")
    parser.add_argument("--jinja", action="store_true", help="use the model's chat template")
    parser.add_argument("--chat-template-file", help="a chat template in Jinja, instead of the model's")
    parser.add_argument("--embedding", "--embeddings", action="store_true", help="serve embeddings too")
    parser.add_argument("--pooling", choices=POOLING, help="how embeddings are pooled")
    parser.add_argument("-mm", "--mmproj", help="projector for pictures and sound, in GGUF")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.version:
        print(f"llama-server (xllamacpp {xllamacpp.__version__})")
        return 0
    if not args.model:
        print("llama-server: -m names no model", file=sys.stderr)
        return 1
    for file in filter(None, (args.model, args.mmproj, args.chat_template_file)):
        if not os.path.isfile(file):
            print(f"llama-server: no such file: {file}", file=sys.stderr)
            return 1

    # Blocked before the server makes its threads, so that they inherit it and the
    # signal comes to sigwait below and nowhere else.
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)

    params = xllamacpp.CommonParams()
    params.model.path = args.model
    if args.alias:
        params.model_alias = [args.alias]
    params.hostnames = [args.host]
    params.port = args.port
    params.n_ctx = args.ctx_size
    params.n_parallel = args.parallel
    params.cpuparams.n_threads = args.threads
    params.use_jinja = args.jinja
    if args.chat_template_file:
        with open(args.chat_template_file, encoding="utf-8") as file:
            params.chat_template = file.read()
    params.embedding = args.embedding
    if args.pooling:
        params.pooling_type = getattr(xllamacpp.llama_pooling_type, f"LLAMA_POOLING_TYPE_{args.pooling.upper()}")
    if args.mmproj:
        params.mmproj.path = args.mmproj
    if args.batch_size:
        params.n_batch = args.batch_size
    if args.ubatch_size:
        params.n_ubatch = args.ubatch_size

    server = xllamacpp.Server(params)
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait(stops)
    # The server has no orderly end of its own; the process is the unit.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
