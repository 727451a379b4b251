//! `a and not (b or c)`.

/// An expression over words, as pytest's `-k` and `-m` take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A word holds.
    Word(String),
    /// It does not.
    Not(Box<Expression>),
    /// Both do.
    And(Box<Expression>, Box<Expression>),
    /// One of them does.
    Or(Box<Expression>, Box<Expression>),
}

/// How deep brackets and `not` may nest; deeper ones are nobody's intention.
const DEPTH: usize = 100;
/// How many words there may be: each nests the ones before it.
const LONGEST: usize = 1000;

impl Expression {
    /// Reads one. `not` binds closest, then `and`, then `or`; a word is anything
    /// without white space and round brackets, or in single or double quotes.
    ///
    /// # Errors
    ///
    /// With a sentence that says what is missing, and where.
    pub fn parse(text: &str) -> Result<Expression, String> {
        let tokens = tokens(text)?;
        if tokens.len() > LONGEST {
            return Err(format!("more than {LONGEST} words"));
        }
        let mut parser = Parser { tokens, at: 0, depth: 0 };
        let expression = parser.or()?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => Err(format!("{:?} is one too many in {text:?}", token.text())),
        }
    }

    /// Its words, in the order in which they stand.
    pub fn words(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Expression::Word(text) => Box::new(std::iter::once(text.as_str())),
            Expression::Not(inner) => inner.words(),
            Expression::And(a, b) | Expression::Or(a, b) => Box::new(a.words().chain(b.words())),
        }
    }

    /// Whether it holds, when `word` says which words do.
    pub fn holds(&self, word: &impl Fn(&str) -> bool) -> bool {
        match self {
            Expression::Word(text) => word(text),
            Expression::Not(inner) => !inner.holds(word),
            Expression::And(a, b) => a.holds(word) && b.holds(word),
            Expression::Or(a, b) => a.holds(word) || b.holds(word),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    And,
    Or,
    Not,
    Open,
    Close,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Token::Word(word) => word,
            Token::And => "and",
            Token::Or => "or",
            Token::Not => "not",
            Token::Open => "(",
            Token::Close => ")",
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '"' | '\'' => {
                let (word, after) = rest[1..]
                    .split_once(first)
                    .ok_or_else(|| format!("a quote is not closed in {text:?}"))?;
                (Token::Word(word.to_owned()), after)
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
                    .unwrap_or(rest.len());
                let token = match &rest[..end] {
                    "and" => Token::And,
                    "or" => Token::Or,
                    "not" => Token::Not,
                    word => Token::Word(word.to_owned()),
                };
                (token, &rest[end..])
            }
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.at += usize::from(there);
        there
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut left = self.and()?;
        while self.take(&Token::Or) {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut left = self.not()?;
        while self.take(&Token::And) {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("brackets nest too deep".to_owned());
        }
        let expression = if self.take(&Token::Not) {
            Expression::Not(Box::new(self.not()?))
        } else if self.take(&Token::Open) {
            let inner = self.or()?;
            if !self.take(&Token::Close) {
                return Err("a bracket is not closed".to_owned());
            }
            inner
        } else {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) => {
                    self.at += 1;
                    Expression::Word(word.clone())
                }
                Some(other) => return Err(format!("a word is missing before {:?}", other.text())),
                None => return Err("a word is missing at the end".to_owned()),
            }
        };
        self.depth -= 1;
        Ok(expression)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Expression;

    fn holds(text: &str, words: &[&str]) -> bool {
        Expression::parse(text).unwrap().holds(&|word| words.contains(&word))
    }

    #[test]
    fn not_binds_closer_than_and_and_and_closer_than_or() {
        assert!(holds("a or b and c", &["a"]));
        assert!(!holds("(a or b) and c", &["a"]));
        assert!(holds("not a and b", &["b"]));
        assert!(holds("not (a and b)", &["b"]));
        assert!(holds("not not a", &["a"]));
        assert!(holds("'and' and smollm2-135m", &["and", "smollm2-135m"]));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, why) in [
            ("", "a word is missing at the end"),
            ("a and", "a word is missing at the end"),
            ("or a", "a word is missing before \"or\""),
            ("(a", "a bracket is not closed"),
            ("a b", "\"b\" is one too many"),
            ("'a", "a quote is not closed"),
        ] {
            assert!(Expression::parse(text).unwrap_err().contains(why), "{text}");
        }
        assert!(Expression::parse(&"(".repeat(100_000)).is_err());
        assert!(Expression::parse(&format!("a{}", " and a".repeat(100_000))).is_err());
    }

    fn any_expression() -> impl Strategy<Value = Expression> {
        let word = prop_oneof![Just("a"), Just("b"), Just("c")]
            .prop_map(|word| Expression::Word(word.to_owned()));
        word.prop_recursive(4, 20, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|e| Expression::Not(Box::new(e))),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| Expression::And(Box::new(a), Box::new(b))),
                (inner.clone(), inner).prop_map(|(a, b)| Expression::Or(Box::new(a), Box::new(b))),
            ]
        })
    }

    fn written(expression: &Expression) -> String {
        match expression {
            Expression::Word(word) => word.clone(),
            Expression::Not(e) => format!("not ({})", written(e)),
            Expression::And(a, b) => format!("({}) and ({})", written(a), written(b)),
            Expression::Or(a, b) => format!("({}) or ({})", written(a), written(b)),
        }
    }

    proptest! {
        #[test]
        fn an_expression_that_is_written_and_read_means_the_same(e in any_expression(), mask in 0u8..8) {
            let word = |w: &str| mask & (1 << (w.as_bytes()[0] - b'a')) != 0;
            prop_assert_eq!(Expression::parse(&written(&e)).unwrap().holds(&word), e.holds(&word));
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = Expression::parse(&text);
        }
    }
}
