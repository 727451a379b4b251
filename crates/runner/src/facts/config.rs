//! `config.json` of a folder as Hugging Face has them.

use serde_json::Value;

use super::Facts;

/// What `config` says.
#[must_use]
pub fn facts(config: &Value) -> Facts {
    // Models that see or hear keep what is about text apart.
    let of_text = |key: &str| config.get(key).or_else(|| config.get("text_config")?.get(key));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let by_method = config.get("quantization_config").and_then(|quantization| {
        let method = quantization["quant_method"].as_str()?;
        let bits = quantization["bits"].as_u64().map(|bits| format!(" {bits}bit"));
        Some(format!("{method}{}", bits.unwrap_or_default()))
    });
    let by_mlx = config.get("quantization").is_some_and(Value::is_object);
    let by_bits = bits(config).filter(|_| by_mlx).map(|bits| format!("{bits}bit"));
    let dtype = || text(of_text("torch_dtype").or_else(|| of_text("dtype")));
    Facts {
        family: text(config.get("model_type")),
        quantization: by_bits.or(by_method).or_else(dtype),
        framework: by_mlx.then(|| "MLX".to_owned()),
        context: of_text("max_position_embeddings").and_then(Value::as_u64),
        ..Facts::default()
    }
}

/// Bits of each weight, where MLX packed them.
#[must_use]
pub fn bits(config: &Value) -> Option<u64> {
    config.get("quantization")?["bits"].as_u64()
}

/// The tokens that end an answer: one, or a list.
#[must_use]
pub fn end_tokens(config: &Value) -> Vec<u64> {
    match config.get("eos_token_id") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_u64).collect(),
        Some(one) => one.as_u64().into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{end_tokens, facts};

    #[test]
    fn tokens_that_end_an_answer_are_one_or_several() {
        assert_eq!(end_tokens(&json!({"eos_token_id": 2})), [2]);
        assert_eq!(end_tokens(&json!({"eos_token_id": [2, 107]})), [2, 107]);
        assert_eq!(end_tokens(&json!({"eos_token_id": null})), [0u64; 0]);
    }

    fn quantization(config: Value) -> Option<String> {
        facts(&config).quantization
    }

    #[test]
    fn a_config_tells_family_context_and_how_weights_are_stored() {
        let mlx = json!({
            "model_type": "qwen3", "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
            "quantization": {"bits": 4, "group_size": 64},
        });
        let found = facts(&mlx);
        assert_eq!((found.family.as_deref(), found.context), (Some("qwen3"), Some(40_960)));
        assert_eq!(found.quantization.as_deref(), Some("4bit"));
        assert_eq!(found.framework.as_deref(), Some("MLX"));
        let awq = json!({"quantization_config": {"quant_method": "awq", "bits": 4}, "torch_dtype": "float16"});
        assert_eq!(quantization(awq).as_deref(), Some("awq 4bit"));
        assert_eq!(quantization(json!({"dtype": "bfloat16"})).as_deref(), Some("bfloat16"));
        let seeing =
            json!({"model_type": "pixtral", "text_config": {"max_position_embeddings": 1024}});
        assert_eq!(facts(&seeing).context, Some(1024));
        assert_eq!(facts(&json!([])), super::Facts::default());
    }
}
