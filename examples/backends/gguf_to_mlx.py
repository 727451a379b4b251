"""Converts a Llama model in GGUF to a Hugging Face folder in float16, for MLX.

For models of the architecture `llama` with a byte-level BPE tokenizer and tied or
separate embeddings; SmolLM2 is one. Weights that are quantized in the GGUF are
dequantized: the folder holds what the file says, not what was lost before it.
"""

import argparse
import json
import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
# Kinds of token in GGUF that the tokenizer must never split.
CONTROL, USER_DEFINED = 3, 4


class Source:
    """The metadata of a GGUF file, by key."""

    def __init__(self, path: Path) -> None:
        self.reader = gguf.GGUFReader(path)

    def get(self, key: str, default: object = None) -> object:
        field = self.reader.get_field(key)
        return default if field is None else field.contents()

    def arch(self, key: str, default: object = None) -> object:
        return self.get(f"llama.{key}", default)


def unpermute(weights: np.ndarray, heads: int) -> np.ndarray:
    """Undoes the order that llama.cpp gives the rows of q and k for its rotary embedding."""
    rows, columns = weights.shape
    pairs = weights.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def tensors(source: Source) -> dict[str, np.ndarray]:
    heads = int(source.arch("attention.head_count"))
    kv_heads = int(source.arch("attention.head_count_kv", heads))
    out = {}
    for tensor in source.reader.tensors:
        weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        stem = tensor.name.removesuffix(".weight")
        if stem in OUTER:
            name = OUTER[stem]
        else:
            _, layer, part = stem.split(".")
            name = f"model.layers.{layer}.{NAMES[part]}"
            if part in ("attn_q", "attn_k"):
                weights = unpermute(weights, heads if part == "attn_q" else kv_heads)
        out[f"{name}.weight"] = np.ascontiguousarray(weights.astype(np.float16))
    return out


def config(source: Source, tied: bool) -> dict[str, object]:
    heads = int(source.arch("attention.head_count"))
    width = int(source.arch("embedding_length"))
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": width,
        "intermediate_size": int(source.arch("feed_forward_length")),
        "num_hidden_layers": int(source.arch("block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(source.arch("attention.head_count_kv", heads)),
        "head_dim": width // heads,
        "max_position_embeddings": int(source.arch("context_length")),
        "rms_norm_eps": float(source.arch("attention.layer_norm_rms_epsilon")),
        "rope_theta": float(source.arch("rope.freq_base", 10000.0)),
        "vocab_size": len(source.get("tokenizer.ggml.tokens")),
        "bos_token_id": source.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": source.get("tokenizer.ggml.eos_token_id"),
        "tie_word_embeddings": tied,
        "torch_dtype": "float16",
    }


def tokenizer(source: Source) -> Tokenizer:
    tokens = source.get("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ", 1)) for merge in source.get("tokenizer.ggml.merges")]
    out = Tokenizer(models.BPE({token: n for n, token in enumerate(tokens)}, merges))
    # As SmolLM2's own: single digits, then GPT-2's pieces as bytes.
    out.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    out.decoder = decoders.ByteLevel()
    kinds = source.get("tokenizer.ggml.token_type")
    special = [tokens[n] for n, kind in enumerate(kinds) if kind in (CONTROL, USER_DEFINED)]
    out.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return out


def tokenizer_config(source: Source) -> dict[str, object]:
    tokens = source.get("tokenizer.ggml.tokens")

    def token(which: str) -> str | None:
        number = source.get(f"tokenizer.ggml.{which}_token_id")
        return None if number is None else tokens[number]

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token("bos"),
        "eos_token": token("eos"),
        "unk_token": token("unknown"),
        "pad_token": token("padding"),
        "model_max_length": int(source.arch("context_length")),
        "clean_up_tokenization_spaces": False,
        "chat_template": source.get("tokenizer.chat_template"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("gguf", type=Path, help="model file in GGUF")
    parser.add_argument("folder", type=Path, help="folder to write")
    args = parser.parse_args()

    source = Source(args.gguf)
    architecture = source.get("general.architecture")
    if architecture != "llama" or source.get("tokenizer.ggml.model") != "gpt2":
        print(f"gguf_to_mlx: {args.gguf}: architecture {architecture}: only llama with byte-level BPE is done", file=sys.stderr)
        return 1
    args.folder.mkdir(parents=True, exist_ok=True)
    weights = tensors(source)
    save_file(weights, args.folder / "model.safetensors", metadata={"format": "mlx"})
    tokenizer(source).save(str(args.folder / "tokenizer.json"))
    for name, content in {
        "config.json": config(source, tied="lm_head.weight" not in weights),
        "tokenizer_config.json": tokenizer_config(source),
    }.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (args.folder / name).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
