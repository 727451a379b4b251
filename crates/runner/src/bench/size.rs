//! Prompts of a given number of tokens, by the server's own tokenizer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    backend::Tokenizer,
    http::{Body, Client},
};

/// The most often that tokens are counted for one prompt; two or three times are usual.
const MOST_COUNTS: u32 = 64;

/// Why there is no prompt of that size.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit<E> {
    /// It has more tokens without a single word: so many.
    TooLong(u64),
    /// The tokens do not grow with the words.
    Endless,
    /// They could not be counted.
    Count(E),
}

/// How many words make a prompt of `target` tokens, or of as few less as there can be,
/// where `count` says how many tokens it has with so many words. It is asked as seldom as
/// possible, and must not shrink.
pub(super) fn fit<E>(
    target: u64,
    mut count: impl FnMut(usize) -> Result<u64, E>,
) -> Result<usize, Unfit<E>> {
    let mut counts = 0;
    let mut count = |words: u64| {
        counts += 1;
        if counts > MOST_COUNTS {
            Err(Unfit::Endless)
        } else {
            count(words as usize).map_err(Unfit::Count)
        }
    };
    let base = count(0)?;
    if base >= target {
        return if base == target { Ok(0) } else { Err(Unfit::TooLong(base)) };
    }
    // (words, tokens) of what is at most as long and of what is longer.
    let mut short = (0, base);
    let mut long: Option<(u64, u64)> = None;
    loop {
        let missing = target - short.1;
        let guess = match long {
            // Most words are one token.
            None => short.0 + missing,
            Some((words, tokens)) => {
                let share = missing as f64 / (tokens - short.1) as f64;
                let step = ((words - short.0) as f64 * share).round() as u64;
                (short.0 + step).clamp(short.0 + 1, words - 1)
            }
        };
        let tokens = count(guess)?;
        // More words, and no more tokens: a context that is full, or nothing is counted.
        if guess > short.0 && tokens <= short.1 {
            return Err(Unfit::Endless);
        }
        if tokens == target {
            return Ok(guess as usize);
        }
        if tokens < target {
            short = (guess, tokens);
        } else {
            long = Some((guess, tokens));
        }
        if long.is_some_and(|(words, _)| words <= short.0 + 1) {
            return Ok(short.0 as usize);
        }
    }
}

/// How many tokens the prompt in `body` has, by the `tokenizer` behind `client`; nothing
/// where the server does not tell.
pub(super) fn tokens(
    client: &Client,
    tokenizer: Tokenizer,
    body: &Value,
    timeout: Duration,
) -> Option<u64> {
    let ask = |path: &str, body: &Value| -> Option<Value> {
        let reply = client.post(path, body.to_string().as_bytes(), timeout).ok()?;
        match (reply.status, reply.broken, reply.body) {
            (200, None, Body::Whole(bytes)) => serde_json::from_slice(&bytes).ok(),
            _ => None,
        }
    };
    match tokenizer {
        Tokenizer::LlamaCpp => {
            let prompt = match body.get("prompt") {
                Some(prompt) => prompt.clone(),
                None => ask("/apply-template", body)?.get("prompt")?.clone(),
            };
            let text = json!({"content": prompt, "add_special": true, "parse_special": true});
            Some(ask("/tokenize", &text)?.get("tokens")?.as_array()?.len() as u64)
        }
        Tokenizer::Vllm => {
            let mut asked = json!({"model": body.get("model")});
            let key = if body.get("prompt").is_some() { "prompt" } else { "messages" };
            asked[key] = body.get(key)?.clone();
            ask("/tokenize", &asked)?.get("count")?.as_u64()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Unfit, fit};

    fn counted(base: u64, words: &[u64], target: u64) -> (Result<usize, Unfit<()>>, u32) {
        let mut asked = 0;
        let found = fit(target, |n| {
            asked += 1;
            // Beyond the words that are given, each is one token.
            let given: u64 = words.iter().take(n).sum();
            Ok(base + given + n.saturating_sub(words.len()) as u64)
        });
        (found, asked)
    }

    fn counted_up_to(most: u64, target: u64) -> (Result<usize, Unfit<()>>, u32) {
        let mut asked = 0;
        let found = fit(target, |n| {
            asked += 1;
            Ok((n as u64 / 2).min(most))
        });
        (found, asked)
    }

    #[test]
    fn a_prompt_is_made_with_two_counts_where_each_word_is_a_token() {
        assert_eq!(counted(37, &[], 512), (Ok(475), 2));
        assert_eq!(counted(37, &[], 37), (Ok(0), 1));
        assert_eq!(counted(37, &[], 16), (Err(Unfit::TooLong(37)), 1));
    }

    #[test]
    fn a_server_that_always_counts_the_same_is_not_asked_for_ever() {
        let mut asked = 0;
        let mut same = |_| {
            asked += 1;
            Ok::<_, ()>(5)
        };
        assert_eq!(fit(100, &mut same), Err(Unfit::Endless));
        assert_eq!(asked, 2);
        // A context that is cut off before the prompt is long enough.
        assert_eq!(counted_up_to(64, 100), (Err(Unfit::Endless), 4));
        assert_eq!(fit(100, |_| Err(7)), Err(Unfit::Count(7)));
    }

    proptest! {
        #[test]
        fn no_other_number_of_words_comes_nearer_from_below(
            base in 0u64..40,
            words in proptest::collection::vec(1u64..4, 0..300),
            target in 40u64..600,
        ) {
            let (found, asked) = counted(base, &words, target);
            let of = |n: usize| base + words.iter().take(n).sum::<u64>()
                + n.saturating_sub(words.len()) as u64;
            let best = (0..=target as usize).rev().find(|n| of(*n) <= target).unwrap();
            prop_assert_eq!(found.map(of), Ok(of(best)));
            prop_assert!(asked < 40, "{asked}");
        }
    }
}
