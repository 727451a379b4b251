//! From what a suite says of a request to the bytes that are sent.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

use super::{Measuring, media};
use crate::{
    backend::Kind,
    http::{Form, Outgoing, Payload},
    suite::{Api, Defaults, Places, RequestDef, Template},
};

/// What fills a prompt to make it large: words, so that it is a prompt.
const WORDS: &[u8] = b"hello ";

/// What a request is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Making<'a> {
    /// What the suite says.
    pub request: &'a RequestDef,
    /// What it is sent to.
    pub kind: Kind,
    /// The name by which it asks for the model.
    pub model: &'a str,
    /// What the suite fills in.
    pub defaults: &'a Defaults,
    /// Where files are looked for.
    pub folder: &'a Path,
    /// What placeholders in the names of files stand for.
    pub places: &'a Places,
    /// How it differs when it is measured.
    pub measured: Option<Measuring<'a>>,
}

/// A request that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The request.
    pub(crate) outgoing: Outgoing,
    /// How long the sound in it lasts, where that is known.
    pub(crate) audio_s: Option<f64>,
}

impl Making<'_> {
    /// The request; of a conversation, the one that sends `messages`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, with a sentence that names it.
    pub(super) fn build(&self, messages: &[Value]) -> Result<Built, String> {
        let request = self.request;
        let content_type =
            || request.content_type.clone().unwrap_or_else(|| "application/json".to_owned());
        let (payload, content_type, audio_s) = match (&request.raw, request.api) {
            (Some(toml::Value::String(text)), _) => {
                (text.clone().into_bytes().into(), content_type(), None)
            }
            (Some(table), _) => {
                (to_json(table)?.to_string().into_bytes().into(), content_type(), None)
            }
            (None, Api::Http) => (Payload::default(), content_type(), None),
            (None, Api::Transcription) => self.form()?,
            (None, _) => (self.body(messages)?, content_type(), None),
        };
        let method = match (&request.method, request.api) {
            (Some(method), _) => method.clone(),
            (None, Api::Http) if request.raw.is_none() => "GET".to_owned(),
            _ => "POST".to_owned(),
        };
        let path = request.path.clone().unwrap_or_else(|| request.api.path().to_owned());
        Ok(Built { outgoing: Outgoing { method, path, content_type, payload }, audio_s })
    }

    /// What a conversation begins with: what the model is told, and the messages or the
    /// prompt. Turns are not among them.
    ///
    /// # Errors
    ///
    /// As [`Making::build`].
    pub(super) fn opening(&self) -> Result<Vec<Value>, String> {
        let request = self.request;
        let mut messages = Vec::new();
        if let Some(system) = &request.system {
            messages.push(json!({"role": "system", "content": system}));
        }
        for message in request.messages.iter().flatten() {
            messages.push(to_json(message)?);
        }
        if let Some(before) = self.measured.and_then(|measured| measured.before) {
            messages.push(json!({"role": "user", "content": before}));
            messages.push(json!({"role": "assistant", "content": "OK."}));
        }
        if let Some(prompt) = self.prompt()? {
            messages.push(self.says(&prompt, true)?);
        }
        Ok(messages)
    }

    /// What the user says, with the pictures where it is the `first` that is said.
    ///
    /// # Errors
    ///
    /// As [`Making::build`].
    pub(super) fn says(&self, prompt: &str, first: bool) -> Result<Value, String> {
        if !first || self.request.images.is_empty() {
            return Ok(json!({"role": "user", "content": prompt}));
        }
        let mut parts = vec![json!({"type": "text", "text": prompt})];
        for image in &self.request.images {
            let bytes = self.read("images", image)?;
            let kind = media::picture(&bytes)
                .ok_or_else(|| format!("images {image}: no PNG, JPEG, GIF, WebP or BMP"))?;
            let url = format!("data:{kind};base64,{}", BASE64.encode(bytes));
            parts.push(json!({"type": "image_url", "image_url": {"url": url}}));
        }
        Ok(json!({"role": "user", "content": parts}))
    }

    /// How many texts embeddings are asked of.
    #[must_use]
    pub(super) fn inputs(&self) -> Option<usize> {
        let one = self.request.raw.is_none().then_some(1);
        self.request.input.as_ref().map(Vec::len).or(one)
    }

    /// The body of a request in JSON.
    fn body(&self, messages: &[Value]) -> Result<Payload, String> {
        let request = self.request;
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.model));
        // Stands where filler goes; nobody else says it.
        let mark = request.body_bytes.map(|_| uuid::Uuid::now_v7().to_string());
        match request.api {
            Api::Chat => {
                let mut messages = messages.to_vec();
                if let Some(mark) = &mark {
                    let prompt = request.prompt.as_deref().unwrap_or_default();
                    messages.retain(|message| message["role"] == "system");
                    messages.push(self.says(&format!("{prompt}{mark}"), true)?);
                }
                body.insert("messages".to_owned(), Value::Array(messages));
            }
            _ => {
                let text = self.prompt()?.unwrap_or_default() + mark.as_deref().unwrap_or_default();
                let name = if request.api == Api::Embedding { "input" } else { "prompt" };
                let value = request.input.as_ref().map_or(json!(text), |texts| json!(texts));
                body.insert(name.to_owned(), value);
            }
        }
        if matches!(request.api, Api::Chat | Api::Completion) {
            self.sampling(&mut body);
            self.tools(&mut body)?;
            self.kind.adapt(&mut body);
            if let Some(measured) = &self.measured {
                measured.adapt(self.kind, &mut body);
            }
        }
        for (key, value) in request.extra.iter().flatten() {
            body.insert(key.clone(), to_json(value)?);
        }
        let mut text = Value::Object(body).to_string();
        match (mark.and_then(|mark| Some((text.find(&mark)?, mark.len()))), request.body_bytes) {
            (Some((at, length)), Some(size)) => {
                let tail = text.split_off(at + length).into_bytes();
                text.truncate(at);
                Payload::filled(text.into_bytes(), WORDS, tail, size.0)
            }
            _ => Ok(text.into_bytes().into()),
        }
    }

    fn sampling(&self, body: &mut Map<String, Value>) {
        let (request, defaults) = (self.request, self.defaults);
        let stop = request.stop.as_ref().map(|stop| &stop.0);
        for (name, value) in [
            ("max_tokens", self.max_tokens().map(Value::from)),
            ("temperature", request.temperature.or(defaults.temperature).map(Value::from)),
            ("seed", request.seed.or(defaults.seed).map(Value::from)),
            ("top_p", request.top_p.map(Value::from)),
            ("top_k", request.top_k.map(Value::from)),
            ("min_p", request.min_p.map(Value::from)),
            ("stop", stop.map(|words| json!(words))),
        ] {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        }
        // Without the times of its pieces there is little to be measured of an answer.
        if request.stream.unwrap_or(self.measured.is_some()) {
            body.insert("stream".to_owned(), json!(true));
            // Without it a stream carries no token counts.
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
    }

    fn max_tokens(&self) -> Option<u64> {
        self.measured.and_then(|measured| measured.max_tokens).or(self.request.max_tokens)
    }

    fn tools(&self, body: &mut Map<String, Value>) -> Result<(), String> {
        let request = self.request;
        if let Some(tools) = &request.tools {
            body.insert("tools".to_owned(), self.value_or_file("tools", tools)?);
        }
        if let Some(choice) = &request.tool_choice {
            body.insert("tool_choice".to_owned(), to_json(choice)?);
        }
        if let Some(schema) = &request.response_schema {
            let schema = self.value_or_file("response_schema", schema)?;
            let schema = json!({"name": "answer", "strict": true, "schema": schema});
            let format = json!({"type": "json_schema", "json_schema": schema});
            body.insert("response_format".to_owned(), format);
        }
        Ok(())
    }

    /// The form of a transcription: its payload, its type, and how long the sound lasts.
    fn form(&self) -> Result<(Payload, String, Option<f64>), String> {
        let request = self.request;
        let mut form = Form::new(format!("runner-{}", uuid::Uuid::now_v7().simple()));
        form.field("model", self.model);
        let temperature = request.temperature.or(self.defaults.temperature);
        for (name, value) in [
            ("language", request.language.clone()),
            ("prompt", request.prompt.clone()),
            ("response_format", request.response_format.map(|format| format.name().to_owned())),
            ("temperature", temperature.map(|value| value.to_string())),
        ] {
            if let Some(value) = value {
                form.field(name, &value);
            }
        }
        for (name, value) in request.extra.iter().flatten() {
            match value {
                toml::Value::String(text) => form.field(name, text),
                other => form.field(name, &to_json(other)?.to_string()),
            }
        }
        let kind = form.content_type();
        let Some(file) = &request.file else {
            // Silence, as long as it takes.
            let size = request.body_bytes.map_or(0, |size| size.0);
            form.file("file", "silence.wav", "audio/wav", &media::wav_header(size));
            return Ok((form.finish(&[0], Some(size))?, kind, None));
        };
        let bytes = self.read("file", file)?;
        let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        form.file("file", &name, media::sound(&bytes), &bytes);
        Ok((form.finish(&[], None)?, kind, media::seconds(&bytes)))
    }

    fn prompt(&self) -> Result<Option<String>, String> {
        let prompt = match (&self.request.prompt, &self.request.prompt_file) {
            (Some(prompt), _) => Some(prompt.clone()),
            (None, Some(file)) => {
                let bytes = self.read("prompt_file", file)?;
                let text = String::from_utf8(bytes);
                Some(text.map_err(|_| format!("prompt_file {file}: is no UTF-8"))?)
            }
            (None, None) => None,
        };
        let Some(measured) = self.measured else { return Ok(prompt) };
        // A chat has a message of its own for what comes before.
        let before = measured.before.filter(|_| self.request.api != Api::Chat);
        let parts = [before, prompt.as_deref(), measured.filler];
        let parts: Vec<&str> = parts.into_iter().flatten().filter(|p| !p.is_empty()).collect();
        Ok((!parts.is_empty()).then(|| parts.join(" ")))
    }

    fn read(&self, key: &str, file: &str) -> Result<Vec<u8>, String> {
        let filled = Template::parse(file)
            .and_then(|template| template.fill(self.places, |name| std::env::var(name).ok()))
            .map_err(|error| format!("{key}: {error}"))?;
        fs::read(self.folder.join(filled.real))
            .map_err(|error| format!("{key} {}: {error}", filled.shown))
    }

    /// What stands in the suite itself, or in a file of JSON that it names.
    fn value_or_file(&self, key: &str, value: &toml::Value) -> Result<Value, String> {
        let toml::Value::String(file) = value else { return to_json(value) };
        serde_json::from_slice(&self.read(key, file)?)
            .map_err(|error| format!("{key} {file}: {error}"))
    }
}

fn to_json(value: &toml::Value) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read, path::Path};

    use serde_json::{Value, json};

    use super::{Built, Making};
    use crate::{
        backend::Kind,
        suite::{Defaults, Places, RequestDef},
    };

    fn built_in(folder: &Path, text: &str) -> Result<Built, String> {
        let request: RequestDef = toml::from_str(text).unwrap();
        let defaults = Defaults { seed: Some(42), temperature: Some(0.0), ..Defaults::default() };
        let places = Places::from([("fixture.x", "sub".to_owned())]);
        let making = Making {
            kind: Kind::OpenAi,
            request: &request,
            model: "m",
            defaults: &defaults,
            folder,
            places: &places,
            measured: None,
        };
        making.build(&making.opening()?)
    }

    fn bytes(built: &Built) -> Vec<u8> {
        let mut bytes = Vec::new();
        built.outgoing.payload.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn built(text: &str) -> Result<Value, String> {
        let bytes = bytes(&built_in(Path::new("/nowhere"), text)?);
        Ok(serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!(String::from_utf8(bytes).unwrap())))
    }

    #[test]
    fn a_request_carries_what_it_says_and_the_defaults() {
        assert_eq!(
            built(
                "api = 'chat'\nprompt = 'hi'\nsystem = 'Be brief.'\nmax_tokens = 16\nseed = 7\n\
                 stop = 'x'\nstream = true\nextra = { cache_prompt = false, seed = 8 }"
            )
            .unwrap(),
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "hi"},
                ],
                "max_tokens": 16, "temperature": 0.0, "seed": 8, "stop": ["x"],
                "stream": true, "stream_options": {"include_usage": true}, "cache_prompt": false,
            })
        );
    }

    #[test]
    fn each_interface_has_its_own_path_and_body() {
        let of = |text| built_in(Path::new(""), text).unwrap().outgoing;
        let completion = of("api = 'completion'\nprompt = 'Once'\nmax_tokens = 3");
        assert_eq!(
            (completion.method.as_str(), completion.path.as_str()),
            ("POST", "/v1/completions")
        );
        assert_eq!(
            built("api = 'completion'\nprompt = 'Once'\nmax_tokens = 3").unwrap(),
            json!({"model": "m", "prompt": "Once", "max_tokens": 3, "temperature": 0.0, "seed": 42})
        );
        assert_eq!(
            built("api = 'embedding'\nprompt = 'a'").unwrap(),
            json!({"model": "m", "input": "a"})
        );
        assert_eq!(
            built("api = 'embedding'\ninput = ['a', 'b']").unwrap(),
            json!({"model": "m", "input": ["a", "b"]})
        );
        let models = of("api = 'http'\npath = '/v1/models'");
        assert_eq!((models.method.as_str(), models.path.as_str()), ("GET", "/v1/models"));
        let other = of("api = 'chat'\nprompt = 'a'\npath = '/api/chat'");
        assert_eq!(other.path, "/api/chat");
    }

    #[test]
    fn a_raw_body_is_sent_as_it_is() {
        assert_eq!(built("api = 'chat'\nraw = '{broken'").unwrap(), json!("{broken"));
        assert_eq!(built("api = 'chat'\nraw = { messages = 7 }").unwrap(), json!({"messages": 7}));
        let outgoing =
            built_in(Path::new(""), "api = 'chat'\nraw = ''\ncontent_type = 'text/plain'").unwrap();
        assert_eq!(outgoing.outgoing.content_type, "text/plain");
    }

    #[test]
    fn files_that_are_missing_are_named() {
        for (text, why) in [
            ("api = 'chat'\nprompt_file = 'p.txt'", "prompt_file p.txt: "),
            (
                "api = 'chat'\nprompt = 'a'\nimages = ['{fixture.x}/a.png']",
                "images {fixture.x}/a.png: ",
            ),
            (
                "api = 'transcription'\nfile = '{fixture.y}/a'",
                "file: nothing is known as {fixture.y}",
            ),
        ] {
            let error = built(text).unwrap_err();
            assert!(error.starts_with(why) || error.starts_with("images sub/a.png: "), "{error}");
        }
    }

    #[test]
    fn pictures_are_data_urls_after_the_text_and_known_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/a.dat"), b"\xff\xd8\xff\xe0jpeg").unwrap();
        fs::write(folder.path().join("b.png"), b"no picture").unwrap();
        let made = built_in(
            folder.path(),
            "api = 'chat'\nprompt = 'What is it?'\nimages = ['{fixture.x}/a.dat']",
        )
        .unwrap();
        let body: Value = serde_json::from_slice(&bytes(&made)).unwrap();
        assert_eq!(
            body["messages"][0]["content"],
            json!([
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4GpwZWc="}},
            ])
        );
        let error = built_in(folder.path(), "api = 'chat'\nprompt = 'a'\nimages = ['b.png']");
        assert_eq!(error.unwrap_err(), "images b.png: no PNG, JPEG, GIF, WebP or BMP");
    }

    #[test]
    fn a_schema_of_the_answer_is_asked_for_strictly() {
        let body =
            built("api = 'chat'\nprompt = 'a'\nresponse_schema = { type = 'object' }").unwrap();
        assert_eq!(
            body["response_format"],
            json!({"type": "json_schema", "json_schema":
                {"name": "answer", "strict": true, "schema": {"type": "object"}}})
        );
    }

    #[test]
    fn a_transcription_is_a_form_with_the_file_and_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let mut sound = super::media::wav_header(32_000);
        sound.extend([0; 32_000]);
        fs::write(folder.path().join("a.wav"), &sound).unwrap();
        let made = built_in(
            folder.path(),
            "api = 'transcription'\nfile = 'a.wav'\nlanguage = 'en'\nresponse_format = 'srt'\n\
             extra = { hotwords = 'x', n = 2 }",
        )
        .unwrap();
        assert_eq!(made.audio_s, Some(1.0));
        assert!(made.outgoing.content_type.starts_with("multipart/form-data; boundary=runner-"));
        let text = String::from_utf8_lossy(&bytes(&made)).into_owned();
        for part in [
            "name=\"model\"\r\n\r\nm\r\n",
            "name=\"language\"\r\n\r\nen\r\n",
            "name=\"response_format\"\r\n\r\nsrt\r\n",
            "name=\"hotwords\"\r\n\r\nx\r\n",
            "name=\"n\"\r\n\r\n2\r\n",
            "name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav\r\n\r\nRIFF",
        ] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn a_body_is_made_as_large_as_it_is_asked_to_be_and_stays_valid() {
        for text in [
            "api = 'chat'\nbody_bytes = '100kB'",
            "api = 'chat'\nsystem = 'x'\nprompt = 'Say hi. '\nbody_bytes = 100000",
            "api = 'completion'\nbody_bytes = 100000",
            "api = 'embedding'\nbody_bytes = 100000",
        ] {
            let made = built_in(Path::new(""), text).unwrap();
            let bytes = bytes(&made);
            assert_eq!((bytes.len(), made.outgoing.payload.len()), (100_000, 100_000), "{text}");
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(body.to_string().contains("hello hello"), "{text}");
        }
        let made = built_in(Path::new(""), "api = 'transcription'\nbody_bytes = 100000").unwrap();
        assert_eq!(bytes(&made).len(), 100_000);
        let error = built("api = 'chat'\nbody_bytes = 7").unwrap_err();
        assert!(error.starts_with("body_bytes is 7, and the body has "), "{error}");
    }
}
