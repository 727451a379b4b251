//! `/proc/loadavg`: load averages, and the number last given to a process.

use super::text::{digits, number, words};

/// Load over 1, 5 and 15 minutes. `None` when one is missing or no number.
#[must_use]
pub fn parse(text: &[u8]) -> Option<[f64; 3]> {
    let mut words = words(text);
    let mut load = [0.0; 3];
    for value in &mut load {
        *value = number::<f64>(words.next()?).filter(|load| load.is_finite() && *load >= 0.0)?;
    }
    Some(load)
}

/// The last column: the process or thread number given out last. As long as
/// it stands still, nothing was started on this machine.
#[must_use]
pub fn last_pid(text: &[u8]) -> Option<u64> {
    words(text).nth(4).and_then(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_real_line_gives_three_loads_and_the_last_pid() {
        let text = b"0.36 0.29 0.12 1/77 6423\n";
        assert_eq!(parse(text), Some([0.36, 0.29, 0.12]));
        assert_eq!(last_pid(text), Some(6423));
    }

    #[test]
    fn what_is_cut_or_no_number_is_none() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"0.36 0.29"), None);
        assert_eq!(parse(b"nan inf -1"), None);
        assert_eq!(last_pid(b"0.36 0.29 0.12 1/77"), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = (parse(&bytes), last_pid(&bytes));
        }
    }
}
