//! Whether a refusal says that the backend cannot do such a thing at all.

use crate::suite::{Api, RequestDef};

/// Whether an answer of `status` with `message` says that what `request` asks for is not
/// supported. Said conservatively: what is not clearly that is an error like any other.
pub(super) fn is_unsupported(request: &RequestDef, status: u16, message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match status {
        501 => true,
        // No such path. Of a model that is not there, servers say so with the same status.
        404 | 405 => {
            !matches!(request.api, Api::Chat | Api::Http)
                && request.path.is_none()
                && !says(&["model"])
        }
        400 | 415 | 422 | 500 => {
            let not =
                ["not support", "n't support", "unsupported", "not enabled", "not implemented"];
            says(&not) && features(request).iter().any(|words| says(words))
        }
        _ => false,
    }
}

/// What a request asks for beyond text, by the words that servers have for it.
fn features(request: &RequestDef) -> Vec<&'static [&'static str]> {
    let raw = request.raw.is_some();
    let given: [(bool, &'static [&'static str]); 6] = [
        (
            !request.images.is_empty() || request.messages.is_some(),
            &["image", "vision", "multimodal", "mmproj"],
        ),
        (request.tools.is_some(), &["tool", "function"]),
        (
            request.response_schema.is_some(),
            &["response_format", "json_schema", "grammar", "structured"],
        ),
        (request.api == Api::Embedding, &["embedding"]),
        (request.api == Api::Transcription, &["audio", "transcri", "speech"]),
        (request.api == Api::Completion, &["completions"]),
    ];
    given.into_iter().filter(|(asked, _)| *asked && !raw).map(|(_, words)| words).collect()
}

#[cfg(test)]
mod tests {
    use super::is_unsupported;
    use crate::suite::RequestDef;

    fn of(request: &str, status: u16, message: &str) -> bool {
        let request: RequestDef = toml::from_str(request).unwrap();
        is_unsupported(&request, status, message)
    }

    #[test]
    fn only_what_clearly_says_so_is_unsupported() {
        let image = "api = 'chat'\nprompt = 'a'\nimages = ['a.png']";
        let tools = "api = 'chat'\nprompt = 'a'\ntools = 'tools.json'";
        for (request, status, message) in [
            (
                "api = 'embedding'\nprompt = 'a'",
                501,
                "This server does not support embeddings. Start it with `--embeddings`",
            ),
            ("api = 'transcription'\nfile = 'a'", 404, "Not Found"),
            ("api = 'completion'\nprompt = 'a'", 405, "Method Not Allowed"),
            (image, 500, "image input is not supported - hint: you may need to provide the mmproj"),
            (image, 400, "Model does not support vision"),
            (tools, 400, "tools are not supported without --jinja"),
        ] {
            assert!(of(request, status, message), "{request}: {status} {message}");
        }
        for (request, status, message) in [
            ("api = 'chat'\nprompt = 'a'", 404, "Not Found"),
            ("api = 'embedding'\nprompt = 'a'", 404, "The model `x` does not exist"),
            ("api = 'embedding'\nprompt = 'a'\npath = '/v2/embed'", 404, "Not Found"),
            (image, 400, "image is not a valid PNG"),
            (image, 400, "temperature is not supported"),
            ("api = 'chat'\nprompt = 'a'", 400, "images are not supported"),
            (tools, 500, "out of memory"),
            (tools, 429, "tools are not supported"),
        ] {
            assert!(!of(request, status, message), "{request}: {status} {message}");
        }
    }
}
