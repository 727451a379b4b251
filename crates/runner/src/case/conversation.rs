//! Several turns: what is said next, with the model's own answers between.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    expect::{Observed, excerpt},
    suite::Turn,
};

/// Adds the model's answer and the `next` turn to the conversation; `Err` has what the
/// model calls, where the turn has no answer to that.
pub(super) fn go_on(
    messages: &mut Vec<Value>,
    observed: &Observed,
    next: &Turn,
) -> Result<(), Value> {
    messages.push(said_back(observed));
    match &next.prompt {
        Some(prompt) => messages.push(json!({"role": "user", "content": prompt})),
        None => messages.extend(tool_results(observed, &next.tool_results)?),
    }
    Ok(())
}

/// A turn and what came of it, for the record.
pub(super) fn told(turn: &Turn, observed: &Observed) -> Value {
    let mut told = json!({
        "answer": observed.text.as_deref().map(excerpt),
        "e2e_s": observed.metrics.e2e_s,
    });
    match &turn.prompt {
        Some(prompt) => told["prompt"] = json!(excerpt(prompt)),
        None => told["tool_results"] = json!(turn.tool_results),
    }
    let calls = observed.calls();
    if !calls.is_empty() {
        told["tool_calls"] = calls.iter().map(crate::http::ToolCall::shown).collect();
    }
    told
}

/// The model's answer as it stands in the conversation from now on.
fn said_back(observed: &Observed) -> Value {
    let mut message = json!({"role": "assistant", "content": observed.text});
    if !observed.tool_calls.is_empty() {
        let calls = observed.tool_calls.iter().zip(0..).map(|(call, n)| {
            let mut sent = call.sent();
            if call.id.is_none() {
                sent["id"] = json!(format!("call_{n}"));
            }
            sent
        });
        message["tool_calls"] = calls.collect();
    }
    message
}

/// What the tools answer that `observed` calls; `Err` has the calls, where they are not
/// those that there are answers for.
fn tool_results(
    observed: &Observed,
    given: &BTreeMap<String, String>,
) -> Result<Vec<Value>, Value> {
    let calls = observed.calls();
    let results = calls.iter().zip(0..).map(|(call, n)| {
        let id = call.id.clone().unwrap_or_else(|| format!("call_{n}"));
        let content = given.get(&call.name)?;
        Some(json!({"role": "tool", "tool_call_id": id, "name": call.name, "content": content}))
    });
    let results: Option<Vec<Value>> = results.collect();
    results.filter(|results| !results.is_empty()).ok_or_else(|| match calls.as_slice() {
        [] => json!(format!("no call: {}", excerpt(observed.text.as_deref().unwrap_or_default()))),
        calls => json!(calls.iter().map(|call| call.name.clone()).collect::<Vec<_>>()),
    })
}
