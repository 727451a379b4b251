//! The exit codes of a program that runs another: those of env, nice and timeout.

use records::Child;

/// memmon itself failed.
pub const OWN_FAILURE: u8 = 125;
/// The command was found and cannot be executed.
pub const CANNOT_EXECUTE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;

/// The exit code that tells how a command ended: its own, or 128 and the number
/// of the signal, as shells say it.
#[must_use]
pub fn code(child: &Child) -> u8 {
    let code = child.signal.map_or(child.exit, |signal| Some(128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(OWN_FAILURE)
}

#[cfg(test)]
mod tests {
    use records::Child;

    use super::code;

    #[test]
    fn an_exit_code_is_passed_on_and_a_signal_is_added_to_128() {
        assert_eq!(code(&Child { exit: Some(3), ..Child::default() }), 3);
        assert_eq!(code(&Child { signal: Some(9), ..Child::default() }), 137);
    }
}
