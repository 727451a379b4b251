//! What the kinds of backend know.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::suite::suggestion;

/// A kind of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// llama.cpp's server.
    LlamaServer,
    /// Anything that speaks OpenAI's HTTP interface.
    OpenAi,
    /// Programs without a server.
    Command,
}

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

const NAMES: [(&str, Kind); 3] =
    [("llama-server", Kind::LlamaServer), ("openai", Kind::OpenAi), ("command", Kind::Command)];
const LATER: [&str; 5] = ["mlx-lm", "mlx-knife", "vllm", "ollama", "lmstudio"];

impl Kind {
    /// The kind called `name`.
    ///
    /// # Errors
    ///
    /// When there is none, or none yet, with a sentence that says so.
    pub fn from_name(name: &str) -> Result<Kind, String> {
        if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*kind);
        }
        if LATER.contains(&name) {
            return Err(format!("kind {name:?}: not in this version yet"));
        }
        let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        Err(format!("unknown kind {name:?}{}", suggestion(name, &known)))
    }

    /// Its name in suites and records.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The command that starts it when the suite names none.
    #[must_use]
    pub fn command(self) -> &'static [&'static str] {
        match self {
            // Without --port it would take 8080, which may be somebody else's.
            Kind::LlamaServer => {
                &["llama-server", "-m", "{path}", "--host", "{host}", "--port", "{port}", "--jinja"]
            }
            Kind::OpenAi | Kind::Command => &[],
        }
    }

    /// How to know that it is ready when the suite does not say.
    #[must_use]
    pub fn readiness(self) -> Readiness {
        match self {
            // 503 while the model loads, then 200.
            Kind::LlamaServer => Readiness::Get { path: "/health".to_owned(), status: 200 },
            Kind::OpenAi | Kind::Command => Readiness::OneToken,
        }
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

    use super::{Kind, signal_named};

    #[test]
    fn kinds_are_known_by_name_and_later_ones_are_told_from_typing_errors() {
        assert_eq!(Kind::from_name("openai"), Ok(Kind::OpenAi));
        assert_eq!(Kind::LlamaServer.name(), "llama-server");
        assert!(Kind::from_name("ollama").unwrap_err().contains("not in this version yet"));
        assert!(Kind::from_name("opnai").unwrap_err().contains("did you mean \"openai\"?"));
    }

    #[test]
    fn signals_are_known_with_and_without_sig() {
        assert_eq!(signal_named("TERM"), Some(Signal::SIGTERM));
        assert_eq!(signal_named("sigint"), Some(Signal::SIGINT));
        assert_eq!(signal_named("STOPP"), None);
    }
}
