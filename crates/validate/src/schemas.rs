//! The schemas, compiled once each, when the first line asks for them.

use std::cell::OnceCell;

use jsonschema::Validator;
use pipe::Error;
use records::{
    LineKind,
    schema::{SCHEMAS, name_for},
};
use serde_json::Value;

/// Every schema, compiled or not yet.
pub struct Schemas {
    compiled: Vec<OnceCell<Validator>>,
    forced: Option<usize>,
}

impl Schemas {
    /// Each line is checked against the schema of its kind.
    #[must_use]
    pub fn by_kind() -> Schemas {
        Schemas { compiled: SCHEMAS.iter().map(|_| OnceCell::new()).collect(), forced: None }
    }

    /// Each line is checked against the schema called `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when there is none of that name.
    pub fn only(name: &str) -> Result<Schemas, Error> {
        match SCHEMAS.iter().position(|schema| schema.name == name) {
            Some(at) => Ok(Schemas { forced: Some(at), ..Schemas::by_kind() }),
            None => Err(Error::Usage(unknown(name))),
        }
    }

    /// Whether one schema is meant for every line.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.forced.is_some()
    }

    /// The name and the validator that `value`, a line of `kind`, must meet; nothing
    /// when no schema is meant for it.
    ///
    /// # Errors
    ///
    /// When a schema of ours cannot be compiled, which the tests rule out.
    pub fn of(
        &self,
        kind: &LineKind,
        value: &Value,
    ) -> Result<Option<(&'static str, &Validator)>, Error> {
        let at = match self.forced {
            Some(at) => at,
            None => {
                let version = value.get("schema_version").and_then(Value::as_str);
                let Some(name) = name_for(kind, version) else { return Ok(None) };
                match SCHEMAS.iter().position(|schema| schema.name == name) {
                    Some(at) => at,
                    None => return Ok(None),
                }
            }
        };
        Ok(Some((SCHEMAS[at].name, self.compiled(at)?)))
    }

    fn compiled(&self, at: usize) -> Result<&Validator, Error> {
        if let Some(validator) = self.compiled[at].get() {
            return Ok(validator);
        }
        let broken = |why: String| Error::Usage(format!("schema {}: {why}", SCHEMAS[at].name));
        let schema: Value =
            serde_json::from_str(SCHEMAS[at].text).map_err(|error| broken(error.to_string()))?;
        let validator =
            jsonschema::validator_for(&schema).map_err(|error| broken(error.to_string()))?;
        Ok(self.compiled[at].get_or_init(|| validator))
    }
}

/// What to say of a name that no schema has.
fn unknown(name: &str) -> String {
    let names: Vec<&str> = SCHEMAS.iter().map(|schema| schema.name).collect();
    let nearest = names
        .iter()
        .map(|known| (strsim::jaro_winkler(known, name), *known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = nearest.map(|(_, known)| format!(": did you mean {known}?")).unwrap_or_default();
    format!("no schema is called {:?}{hint} (known: {})", pipe::printable(name), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::Schemas;

    #[test]
    fn every_schema_compiles() {
        let schemas = Schemas::by_kind();
        for at in 0..schemas.compiled.len() {
            assert!(schemas.compiled(at).is_ok(), "{}", records::schema::SCHEMAS[at].name);
        }
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion_and_the_list() {
        let error = Schemas::only("samples.v1").err().unwrap().to_string();
        assert!(error.contains("did you mean sample.v1?"), "{error}");
        assert!(error.contains("mlx-knife-summary"), "{error}");
        let error = Schemas::only("zzz").err().unwrap().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }
}
