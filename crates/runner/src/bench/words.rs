//! Words that prompts are made of: common ones, each a single token for nearly every
//! tokenizer, so that a prompt of any length can be made.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::random::Random;

/// Two hundred and fifty-six of the most common English words.
const WORDS: &str = "\
about above act add after again age ago air all also always and animal answer any ask \
away back base be because bed been before began begin being best better big bird black \
blue boat body book both boy build but by call came can car care carry change check city \
class close cold color come common could country course cross cry cut dark day did \
differ do does dog done door down draw drive during each early earth eat end enough even \
every example eye face fact family far farm fast father feel feet few field fire first \
fish five follow food foot for force form found four free friend from front full gave \
get girl give go gold good got great green ground group grow had half hand hard has have \
he head hear heard help her here high him his hold home horse hot hour house how hundred \
idea if in island it just keep kind king knew know land language large last late laugh \
learn leave left letter life light like line list little live long look lot love low \
made main make man many map mark may me mean men might mile mind miss money moon more \
morning most mother mountain move much music must my name near need never new next night \
no north note nothing notice now number object of off often old on once one only open or \
order other our out over own page paper part people place plan plant point pull put \
question quick rain ran";

/// So many words in `WORDS`, which is that many values of a byte.
const COUNT: usize = 256;
/// So many words make what no prompt began with before: 2³² of them, by chance.
const NEW: usize = 4;
/// What stands before them: at the beginning of a text a word may be several tokens, and
/// after another it is one.
const FIRST: &str = "the";

fn words() -> impl Iterator<Item = &'static str> + Clone {
    WORDS.split_ascii_whitespace().take(COUNT)
}

/// `n` words, the same ones for the same seed; a longer list begins like a shorter one.
pub(crate) fn filler(seed: u64, n: usize) -> String {
    let list: Vec<&str> = words().collect();
    let mut random = Random::new(seed);
    let mut text = String::with_capacity(n * 6);
    for i in 0..n {
        if i > 0 {
            text.push(' ');
        }
        // The remainder has no bias: 2⁶⁴ is a multiple of the count.
        let at = random.next() % COUNT as u64;
        text.push_str(list.get(at as usize).copied().unwrap_or_default());
    }
    text
}

/// What request `n` of `run` begins with, so that no cache knows its prompt: as many
/// words, and so as many tokens, each time.
pub(crate) fn nonce(run: &str, id: &str, n: u64) -> String {
    let mut hasher = DefaultHasher::new();
    (run, id, n).hash(&mut hasher);
    format!("{FIRST} {}", filler(hasher.finish(), NEW))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{COUNT, WORDS, filler, nonce, words};

    #[test]
    fn there_are_as_many_words_as_values_of_a_byte_and_none_twice() {
        assert_eq!(WORDS.split_ascii_whitespace().count(), COUNT);
        assert_eq!(words().collect::<BTreeSet<_>>().len(), COUNT);
    }

    #[test]
    fn the_same_seed_gives_the_same_words_and_a_longer_list_begins_alike() {
        let (short, long) = (filler(42, 10), filler(42, 500));
        assert_eq!(short.split(' ').count(), 10);
        assert!(long.starts_with(&short) && long.split(' ').count() == 500);
        assert_ne!(filler(43, 10), short);
        assert_eq!(filler(42, 0), "");
    }

    #[test]
    fn no_two_requests_begin_alike() {
        let begins: BTreeSet<String> = (0..100).map(|n| nonce("run", "a", n)).collect();
        assert_eq!(begins.len(), 100);
        assert_ne!(nonce("run", "a", 0), nonce("other", "a", 0));
        assert_eq!(nonce("run", "a", 7).split(' ').count(), 5);
    }
}
