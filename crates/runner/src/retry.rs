//! When a case is tried again, and after how long.

use std::time::Duration;

use records::{Outcome, Test};

use crate::suite::{Backoff, Retries};

/// The pause before the first further try when nobody says.
const DELAY: Duration = Duration::from_secs(1);
/// The longest pause when nobody says.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Whether a case that came out like this may come out otherwise when it is tried again.
pub(crate) fn is_worth_it(test: &Test) -> bool {
    let kind = test.error.as_ref().map(|error| error.kind.as_str());
    matches!(test.outcome, Outcome::Failed | Outcome::Error)
        // What was asked for wrongly stays wrong, and a run that shall stop, stops.
        && !matches!(kind, Some("interrupted" | "bad_request" | "command_not_started"))
}

/// How long to wait before try number `next` (2 is the first further one): what the
/// policy says, or longer where the server asked for it (`Retry-After`); never longer
/// than the policy's longest pause.
pub(crate) fn pause(policy: &Retries, next: u32, asked: Option<Duration>) -> Duration {
    let delay = policy.delay.map_or(DELAY, |span| span.0);
    let longest = policy.max_delay.map_or(MAX_DELAY, |span| span.0);
    let doubled = match policy.backoff {
        Backoff::Fixed => delay,
        Backoff::Exponential => delay.saturating_mul(2u32.saturating_pow(next.saturating_sub(2))),
    };
    doubled.max(asked.unwrap_or_default()).min(longest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use records::{ErrorInfo, Origin, Outcome, Test};

    use super::{is_worth_it, pause};
    use crate::suite::{Backoff, Retries, Span};

    const POLICY: Retries = Retries {
        count: 9,
        delay: Some(Span(Duration::from_millis(100))),
        backoff: Backoff::Exponential,
        max_delay: Some(Span(Duration::from_secs(1))),
    };

    #[test]
    fn pauses_double_up_to_the_longest_and_a_server_may_ask_for_more() {
        let ms = |next, asked| pause(&POLICY, next, asked).as_millis();
        assert_eq!([ms(2, None), ms(3, None), ms(4, None)], [100, 200, 400]);
        assert_eq!(ms(40, None), 1000);
        assert_eq!(ms(2, Some(Duration::from_millis(700))), 700);
        assert_eq!(ms(2, Some(Duration::from_secs(3600))), 1000);
        let fixed = Retries { backoff: Backoff::Fixed, ..POLICY };
        assert_eq!(pause(&fixed, 9, None), Duration::from_millis(100));
    }

    #[test]
    fn what_stays_wrong_is_not_tried_again() {
        let of = |outcome, kind: Option<&str>| Test {
            outcome,
            error: kind.map(|kind| ErrorInfo { kind: kind.into(), ..ErrorInfo::default() }),
            ..Test::at(0.0, &Origin::default())
        };
        assert!(is_worth_it(&of(Outcome::Failed, None)));
        assert!(is_worth_it(&of(Outcome::Error, Some("backend_died"))));
        assert!(!is_worth_it(&of(Outcome::Error, Some("interrupted"))));
        assert!(!is_worth_it(&of(Outcome::Passed, None)));
        assert!(!is_worth_it(&of(Outcome::Xfailed, None)));
    }
}
