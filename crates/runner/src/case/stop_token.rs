//! Tokens that end an answer and have no business in its text.

/// Those of the chat templates in use. A server that leaves one in the text does not
/// know it, or has the wrong template.
const TOKENS: [&str; 24] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<|end|>",
    "<|return|>",
    "<|end_of_turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|end_of_role|>",
    "<｜end▁of▁sentence｜>",
    "<end_of_utterance>",
    "<|user|>",
    "<|assistant|>",
    "<eos>",
    "[/INST]",
    "[INST]",
    "</s>",
];

/// The first stop token in `text` that `excused` does not excuse.
pub(super) fn leaked(text: &str, excused: impl Fn(&str) -> bool) -> Option<&'static str> {
    TOKENS
        .into_iter()
        .find(|token| text.contains(token) && !in_html(token, text) && !excused(token))
}

/// HTML has a tag of its own that looks like the end of a sequence; it is opened there.
fn in_html(token: &str, text: &str) -> bool {
    token == "</s>" && text.matches("<s>").count() >= text.matches("</s>").count()
}

#[cfg(test)]
mod tests {
    use super::leaked;

    #[test]
    fn a_stop_token_in_the_text_is_found_unless_it_was_asked_for() {
        let found = |text| leaked(text, |_| false);
        assert_eq!(found("Hello.<|im_end|>"), Some("<|im_end|>"));
        assert_eq!(found("Hi</s>"), Some("</s>"));
        assert_eq!(found("<p><s>old</s> new</p>"), None);
        assert_eq!(found("Tags such as <b> and |im_end|"), None);
        assert_eq!(leaked("ChatML ends with <|im_end|>", |token| token == "<|im_end|>"), None);
    }
}
