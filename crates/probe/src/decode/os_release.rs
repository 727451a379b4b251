//! `/etc/os-release`: what the distribution calls itself.

use super::text::lines;

/// `PRETTY_NAME`, such as `Debian GNU/Linux 12 (bookworm)`.
#[must_use]
pub fn pretty_name(text: &[u8]) -> Option<String> {
    let value = lines(text).find_map(|line| line.trim_ascii().strip_prefix(b"PRETTY_NAME="))?;
    let value = String::from_utf8_lossy(value);
    let value = value.trim();
    let bare = ['"', '\'']
        .iter()
        .find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value);
    (!bare.is_empty()).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_are_taken_off() {
        let text = b"NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(pretty_name(text).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name(b"PRETTY_NAME=Alpine\n").as_deref(), Some("Alpine"));
        assert_eq!(pretty_name(b"PRETTY_NAME=\"\"\n"), None);
        assert_eq!(pretty_name(b"PRETTY_NAME=\"\n").as_deref(), Some("\""));
        assert_eq!(pretty_name(b""), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = pretty_name(&bytes);
        }
    }
}
