//! What servers say of the model that they have, each in its own shape.

use serde_json::Value;

use super::Facts;

/// llama.cpp's `/v1/models`, with its `meta`.
#[must_use]
pub fn llama_cpp(models: &Value) -> Facts {
    let meta = &models["data"][0]["meta"];
    Facts {
        size_bytes: meta["size"].as_u64(),
        params: meta["n_params"].as_u64(),
        quantization: text(&meta["ftype"]),
        context: meta["n_ctx_train"].as_u64(),
        ..Facts::default()
    }
}

/// vLLM's `/v1/models`.
#[must_use]
pub fn vllm(models: &Value) -> Facts {
    Facts { context: models["data"][0]["max_model_len"].as_u64(), ..Facts::default() }
}

/// Ollama's `/api/show`.
#[must_use]
pub fn ollama(show: &Value) -> Facts {
    let info = &show["model_info"];
    let family = text(&show["details"]["family"]).or_else(|| text(&info["general.architecture"]));
    let architecture = info["general.architecture"].as_str().unwrap_or_default();
    Facts {
        params: info["general.parameter_count"].as_u64(),
        family,
        quantization: text(&show["details"]["quantization_level"]),
        framework: text(&show["details"]["format"]).map(|format| format.to_uppercase()),
        context: info[format!("{architecture}.context_length")].as_u64(),
        ..Facts::default()
    }
}

/// LM Studio's `/api/v0/models/{model}`.
#[must_use]
pub fn lmstudio(model: &Value) -> Facts {
    Facts {
        family: text(&model["arch"]),
        quantization: text(&model["quantization"]),
        framework: text(&model["compatibility_type"]).map(|kind| kind.to_uppercase()),
        context: model["max_context_length"].as_u64(),
        ..Facts::default()
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Facts, llama_cpp, lmstudio, ollama, vllm};

    #[test]
    fn each_server_is_read_in_its_own_shape() {
        // As llama.cpp answered here.
        let models = json!({"object": "list", "data": [{"id": "m", "meta": {
            "vocab_type": 2, "n_vocab": 49152, "n_ctx": 2048, "n_ctx_train": 8192,
            "n_embd": 576, "n_params": 134_515_008, "size": 96_576_768, "ftype": "Q4_1"}}]});
        let found = llama_cpp(&models);
        assert_eq!((found.params, found.context), (Some(134_515_008), Some(8192)));
        assert_eq!(
            (found.size_bytes, found.quantization.as_deref()),
            (Some(96_576_768), Some("Q4_1"))
        );
        // The others as their documentation has them.
        let show = json!({
            "details": {"format": "gguf", "family": "llama", "parameter_size": "8.0B", "quantization_level": "Q4_0"},
            "model_info": {"general.architecture": "llama", "general.parameter_count": 8_030_261_248_u64, "llama.context_length": 8192}});
        let found = ollama(&show);
        assert_eq!((found.params, found.context), (Some(8_030_261_248), Some(8192)));
        assert_eq!(
            (found.framework.as_deref(), found.family.as_deref()),
            (Some("GGUF"), Some("llama"))
        );
        let model = json!({"id": "q", "arch": "qwen2_vl", "compatibility_type": "mlx", "quantization": "4bit", "max_context_length": 32768});
        assert_eq!(
            (lmstudio(&model).context, lmstudio(&model).framework.as_deref()),
            (Some(32_768), Some("MLX"))
        );
        assert_eq!(vllm(&json!({"data": [{"max_model_len": 4096}]})).context, Some(4096));
        for read in [llama_cpp, lmstudio, ollama, vllm] {
            assert_eq!(read(&json!({"error": "no"})), Facts::default());
        }
    }
}
