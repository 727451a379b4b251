//! The few ways of taking apart a kernel text that all decoders share.

/// Lines of `text`, without their line ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// Words of `text`: what stands between blanks.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// A whole word of decimal digits. `None` for anything else, overflow included.
pub(super) fn digits(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// A word that Rust's own parsers understand: signed and fractional numbers.
pub(super) fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The text as a trimmed, non-empty `String`; bad UTF-8 is replaced.
pub(super) fn label(text: &[u8]) -> Option<String> {
    // Device tree strings end in a NUL.
    let text = text.split(|&byte| byte == 0).next()?;
    let text = String::from_utf8_lossy(text.trim_ascii());
    (!text.is_empty()).then(|| text.into_owned())
}
