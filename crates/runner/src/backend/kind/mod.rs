//! What the kinds of backend know: each in a file of its own, as one [`Knowledge`].

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Map, Value, json};

use crate::{facts::Facts, suite::Placement, suite::suggestion};

mod command;
mod llama_server;
mod lmstudio;
mod mlx_knife;
mod mlx_lm;
mod ollama;
mod openai;
mod vllm;

/// A kind of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// llama.cpp's server.
    LlamaServer,
    /// MLX's own server.
    MlxLm,
    /// mlx-knife's server.
    MlxKnife,
    /// vLLM.
    Vllm,
    /// Ollama.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// Anything that speaks OpenAI's HTTP interface.
    OpenAi,
    /// Programs without a server.
    Command,
}

/// The bias that makes a token impossible: the least that OpenAI's interface takes.
const IMPOSSIBLE: f64 = -100.0;

/// How to know that a server is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// A path answers with a status.
    Get {
        /// The path.
        path: String,
        /// The status.
        status: u16,
    },
    /// A completion of one token succeeds. A listing of models is no proof: servers
    /// list models that they have yet to load.
    OneToken,
}

/// Reads what a server says of a model.
pub type ReadFacts = fn(&Value) -> Facts;
/// What to ask about a model, by the name that requests ask for it by.
type AskOf = fn(&str) -> Ask;

/// What a kind knows.
struct Knowledge {
    /// Its name in suites and records.
    name: &'static str,
    /// What starts it when the suite does not say. `{weights}` is the model's path,
    /// else its repository.
    command: &'static [&'static str],
    /// The environment it is started with.
    env: &'static [(&'static str, &'static str)],
    /// Where it runs already when the suite says neither how it is started nor where.
    attach: Option<&'static str>,
    /// The path that answers 200 when it is truly ready; without one, a token must come.
    health: Option<&'static str>,
    /// A request that has it load a model, once it is there at all.
    preload: Option<AskOf>,
    /// What asks it for a first token once it is ready; without one, a chat does.
    first_token: Option<AskOf>,
    /// The name by which a server of ours knows its one model, whatever the suite calls it.
    served_as: Option<&'static str>,
    /// What requests need besides, or must not have.
    adapt: fn(&mut Map<String, Value>),
    /// A field that has a request pass by the cache of prompts. Where there is none,
    /// the prompt must be a new one.
    uncached: Option<(&'static str, bool)>,
    /// How an answer goes on to `max_tokens` whatever the model says.
    ignore_eos: IgnoreEos,
    /// How it counts the tokens of a prompt without answering it.
    tokenizer: Option<Tokenizer>,
    /// Where it tells its version, and under which key.
    version: Option<(&'static str, &'static str)>,
    /// Its version by an answer to a chat.
    version_in: fn(&Value) -> Option<String>,
    /// Whether its program, called as in `command`, knows `--version`.
    version_flag: bool,
    /// Where it tells of a model, and how that is read.
    facts: Option<(AskOf, ReadFacts)>,
}

/// A kind that knows nothing; each says what it knows instead.
const NOTHING: Knowledge = Knowledge {
    name: "",
    command: &[],
    env: &[],
    attach: None,
    health: None,
    preload: None,
    first_token: None,
    served_as: None,
    adapt: |_| {},
    uncached: None,
    ignore_eos: IgnoreEos::Never,
    tokenizer: None,
    version: None,
    version_in: |_| None,
    version_flag: false,
    facts: None,
};

/// A question to a server: a path, and a body where it is a POST.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The path.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
}

impl Ask {
    fn get(path: impl Into<String>) -> Ask {
        Ask { path: path.into(), body: None }
    }

    fn post(path: &str, body: Value) -> Ask {
        Ask { path: path.to_owned(), body: Some(body) }
    }
}

/// How an answer goes on whatever the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IgnoreEos {
    /// It cannot be had.
    Never,
    /// By a field of the request.
    Field(&'static str),
    /// By making the tokens that end an answer impossible.
    Bias,
}

/// How a server counts tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokenizer {
    /// llama.cpp: `/apply-template` makes a prompt of messages, `/tokenize` takes it apart.
    LlamaCpp,
    /// vLLM: `/tokenize` takes a prompt or messages, and counts.
    Vllm,
}

/// Every kind, as suites may name them.
const ALL: [Kind; 8] = [
    Kind::LlamaServer,
    Kind::MlxLm,
    Kind::MlxKnife,
    Kind::Vllm,
    Kind::Ollama,
    Kind::LmStudio,
    Kind::OpenAi,
    Kind::Command,
];

impl Kind {
    /// The kind called `name`.
    ///
    /// # Errors
    ///
    /// When there is none, with a sentence that says so.
    pub fn from_name(name: &str) -> Result<Kind, String> {
        ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = ALL.map(Kind::name);
            format!("unknown kind {name:?}{}", suggestion(name, &known))
        })
    }

    fn known(self) -> &'static Knowledge {
        match self {
            Kind::LlamaServer => &llama_server::KNOWN,
            Kind::MlxLm => &mlx_lm::KNOWN,
            Kind::MlxKnife => &mlx_knife::KNOWN,
            Kind::Vllm => &vllm::KNOWN,
            Kind::Ollama => &ollama::KNOWN,
            Kind::LmStudio => &lmstudio::KNOWN,
            Kind::OpenAi => &openai::KNOWN,
            Kind::Command => &command::KNOWN,
        }
    }

    /// Its name in suites and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// The command that starts it when the suite names none; empty when nothing does.
    #[must_use]
    pub fn command(self, placement: &Placement) -> Vec<&'static str> {
        let weights = if placement.path.is_some() { "{path}" } else { "{repo}" };
        let words = self.known().command.iter();
        words.map(|word| if *word == "{weights}" { weights } else { word }).collect()
    }

    /// The environment that it is started with, beside that of the suite.
    #[must_use]
    pub fn env(self) -> &'static [(&'static str, &'static str)] {
        self.known().env
    }

    /// Where it runs already when the suite gives neither a url nor a command.
    #[must_use]
    pub fn attach(self) -> Option<&'static str> {
        self.known().attach
    }

    /// How to know that it is ready when the suite does not say.
    #[must_use]
    pub fn readiness(self) -> Readiness {
        match self.known().health {
            Some(path) => Readiness::Get { path: path.to_owned(), status: 200 },
            None => Readiness::OneToken,
        }
    }

    /// What has it load `model`, where that is not done by starting it.
    #[must_use]
    pub fn preload(self, model: &str) -> Option<Ask> {
        self.known().preload.map(|ask| ask(model))
    }

    /// What asks it for one token of `model`.
    #[must_use]
    pub fn first_token(self, model: &str) -> Ask {
        self.known().first_token.map_or_else(|| self.one_token(model), |ask| ask(model))
    }

    /// A chat that asks for one token of `model`.
    #[must_use]
    pub fn one_token(self, model: &str) -> Ask {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(model));
        body.insert("messages".to_owned(), json!([{"role": "user", "content": "Hi"}]));
        body.insert("max_tokens".to_owned(), json!(1));
        self.adapt(&mut body);
        Ask::post("/v1/chat/completions", Value::Object(body))
    }

    /// The name by which requests to a server of ours ask for its one model.
    #[must_use]
    pub fn served_as(self) -> Option<&'static str> {
        self.known().served_as
    }

    /// Makes `body`, as OpenAI has it, into one that it understands.
    pub fn adapt(self, body: &mut Map<String, Value>) {
        (self.known().adapt)(body);
    }

    /// Has the request with `body` pass by its cache of prompts: by its own switch,
    /// else by `nonce`, which must be a new one each time, at the very beginning of the
    /// prompt. False when there is no prompt to be made new.
    pub fn pass_by_cache(self, body: &mut Map<String, Value>, nonce: &str) -> bool {
        if let Some((field, value)) = self.known().uncached {
            body.insert(field.to_owned(), value.into());
            return true;
        }
        let content = match body.get_mut("messages") {
            Some(messages) => messages.get_mut(0).and_then(|first| first.get_mut("content")),
            None => body.get_mut("prompt"),
        };
        match content {
            Some(Value::String(text)) => text.insert_str(0, &format!("{nonce} ")),
            Some(Value::Array(parts)) => parts.insert(0, json!({"type": "text", "text": nonce})),
            _ => return false,
        }
        true
    }

    /// The field of a request that switches its cache of prompts off, where there is one.
    #[must_use]
    pub fn cache_switch(self) -> Option<&'static str> {
        self.known().uncached.map(|(field, _)| field)
    }

    /// What passes by its cache of prompts: the name of a switch, or a word for a new prompt.
    #[must_use]
    pub fn cache_avoided_by(self) -> String {
        match self.known().uncached {
            Some((field, value)) => format!("{field} = {value}"),
            None => "a new prompt each time".to_owned(),
        }
    }

    /// Has the answer to the request with `body` go on to its `max_tokens`, whatever the
    /// model says; `end` are the tokens that end its answers, where they are known. False
    /// where that cannot be had, and nothing is changed.
    pub fn ignore_eos(self, body: &mut Map<String, Value>, end: &[u64]) -> bool {
        match self.known().ignore_eos {
            IgnoreEos::Field(field) => {
                body.insert(field.to_owned(), true.into());
                true
            }
            IgnoreEos::Bias if !end.is_empty() => {
                let bias = end.iter().map(|token| (token.to_string(), json!(IMPOSSIBLE)));
                body.insert("logit_bias".to_owned(), Value::Object(bias.collect()));
                true
            }
            IgnoreEos::Bias | IgnoreEos::Never => false,
        }
    }

    /// How it counts tokens; nothing when it has no way but to answer.
    #[must_use]
    pub fn tokenizer(self) -> Option<Tokenizer> {
        self.known().tokenizer
    }

    /// Where it tells its version, and under which key.
    #[must_use]
    pub fn version(self) -> Option<(Ask, &'static str)> {
        self.known().version.map(|(path, key)| (Ask::get(path), key))
    }

    /// Its version by an answer to a chat, where that tells it.
    #[must_use]
    pub fn version_in(self, answer: &Value) -> Option<String> {
        (self.known().version_in)(answer)
    }

    /// The program that tells its version when called with `--version`.
    #[must_use]
    pub fn version_program(self) -> Option<&'static str> {
        let known = self.known();
        known.command.first().copied().filter(|_| known.version_flag)
    }

    /// Where it tells of `model`, and how that is read.
    #[must_use]
    pub fn facts(self, model: &str) -> Option<(Ask, ReadFacts)> {
        self.known().facts.map(|(ask, read)| (ask(model), read))
    }

    /// How long it may take to be ready when the suite does not say.
    #[must_use]
    pub fn ready_timeout(self) -> Duration {
        Duration::from_secs(180)
    }

    /// How long it has to stop when the suite does not say.
    #[must_use]
    pub fn grace(self) -> Duration {
        Duration::from_secs(10)
    }
}

/// The signal called `TERM` or `SIGTERM`.
#[must_use]
pub fn signal_named(name: &str) -> Option<Signal> {
    let upper = name.to_uppercase();
    let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    full.parse().ok()
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::Signal;
    use serde_json::{Map, Value, json};

    use super::{ALL, Kind, Readiness, signal_named};
    use crate::suite::{Placement, Template};

    fn adapted(kind: Kind, body: Value) -> Value {
        let mut body = body.as_object().unwrap().clone();
        kind.adapt(&mut body);
        Value::Object(body)
    }

    #[test]
    fn kinds_are_known_by_name_and_told_from_typing_errors() {
        for kind in ALL {
            assert_eq!(Kind::from_name(kind.name()), Ok(kind));
        }
        assert_eq!(Kind::from_name("openai"), Ok(Kind::OpenAi));
        assert!(Kind::from_name("opnai").unwrap_err().contains("did you mean \"openai\"?"));
    }

    #[test]
    fn what_kinds_fill_in_has_only_placeholders_that_there_are() {
        let path = Placement { path: Some("m".into()), ..Placement::default() };
        for kind in ALL {
            for word in kind.command(&path).into_iter().chain(kind.env().iter().map(|(_, v)| *v)) {
                assert_eq!(Template::check(word, &[]), Ok(()), "{}", kind.name());
            }
        }
        assert!(Kind::MlxLm.command(&path).contains(&"{path}"));
        assert!(Kind::MlxLm.command(&Placement::default()).contains(&"{repo}"));
    }

    #[test]
    fn health_that_is_always_well_is_no_readiness() {
        assert_eq!(Kind::MlxLm.readiness(), Readiness::OneToken);
        let health = Readiness::Get { path: "/health".into(), status: 200 };
        assert_eq!(Kind::LlamaServer.readiness(), health);
    }

    #[test]
    fn requests_are_made_what_a_kind_understands() {
        let streamed = json!({"stream": true, "stream_options": {"include_usage": true}});
        assert_eq!(adapted(Kind::LlamaServer, streamed.clone()), streamed);
        assert_eq!(adapted(Kind::MlxKnife, streamed), json!({"stream": true, "max_tokens": 512}));
        assert_eq!(adapted(Kind::MlxKnife, json!({"max_tokens": 7})), json!({"max_tokens": 7}));
        assert_eq!(adapted(Kind::Ollama, json!({})), json!({"keep_alive": "30m"}));
    }

    #[test]
    fn the_cache_is_passed_by_with_a_switch_or_a_new_prompt() {
        let passed = |kind: Kind, body: Value| {
            let mut body: Map<String, Value> = body.as_object().unwrap().clone();
            let done = kind.pass_by_cache(&mut body, "k7");
            (done, Value::Object(body))
        };
        let hi = json!({"messages": [{"role": "user", "content": "hi"}]});
        let (done, body) = passed(Kind::LlamaServer, hi.clone());
        assert!(done);
        assert_eq!(body["cache_prompt"], false);
        assert_eq!(body["messages"], hi["messages"]);
        let (_, body) = passed(Kind::MlxLm, hi);
        assert_eq!(body["messages"][0]["content"], "k7 hi");
        let parts =
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]});
        let (_, body) = passed(Kind::Vllm, parts);
        assert_eq!(body["messages"][0]["content"][0]["text"], "k7");
        assert_eq!(passed(Kind::Vllm, json!({"prompt": "hi"})).1["prompt"], "k7 hi");
        assert!(!passed(Kind::Vllm, json!({"input": ["a"]})).0);
    }

    #[test]
    fn versions_come_from_where_they_are_told() {
        let answer =
            json!({"system_fingerprint": "0.32.2-0.32.4-Linux-6.18.44-x86_64-with-glibc2.36"});
        assert_eq!(Kind::MlxLm.version_in(&answer).as_deref(), Some("0.32.2 (mlx 0.32.4)"));
        assert_eq!(Kind::MlxLm.version_in(&json!({"system_fingerprint": "fp"})), None);
        assert_eq!(Kind::LlamaServer.version_in(&answer), None);
        let (ask, key) = Kind::LlamaServer.version().unwrap();
        assert_eq!((ask.path.as_str(), ask.body, key), ("/props", None, "build_info"));
        assert_eq!(Kind::Vllm.version_program(), Some("vllm"));
        assert_eq!(Kind::OpenAi.version_program(), None);
    }

    #[test]
    fn signals_are_known_with_and_without_sig() {
        assert_eq!(signal_named("TERM"), Some(Signal::SIGTERM));
        assert_eq!(signal_named("sigint"), Some(Signal::SIGINT));
        assert_eq!(signal_named("STOPP"), None);
    }
}
