//! What the processor and the machine are called.

use super::text::{label, lines};

/// The processor's name from `/proc/cpuinfo`: `model name` on x86, `cpu model`
/// or `cpu` elsewhere. Most 64-bit ARM kernels print none.
#[must_use]
pub fn chip(text: &[u8]) -> Option<String> {
    [b"model name".as_slice(), b"cpu model", b"cpu"].iter().find_map(|key| {
        lines(text).find_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            (line[..colon].trim_ascii() == *key).then(|| label(&line[colon + 1..]))?
        })
    })
}

/// A file with one name in it, such as `/sys/class/dmi/id/product_name` or a
/// device tree's `model` (which ends in a NUL). Makers who fill in nothing
/// leave the text of their template, which is as good as no name.
#[must_use]
pub fn name(text: &[u8]) -> Option<String> {
    const TEMPLATES: [&str; 5] = [
        "System Product Name",
        "To Be Filled By O.E.M.",
        "To be filled by O.E.M.",
        "Default string",
        "None",
    ];
    label(text).filter(|name| !TEMPLATES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_model_name_is_not_mistaken_for_the_model() {
        let text =
            b"processor\t: 0\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R) Processor\nstepping: 8\n";
        assert_eq!(chip(text).as_deref(), Some("Intel(R) Xeon(R) Processor"));
        assert_eq!(chip(b"processor : 0\nBogoMIPS : 50\n"), None);
        assert_eq!(chip(b""), None);
    }

    #[test]
    fn a_template_is_no_name() {
        assert_eq!(name(b"To Be Filled By O.E.M.\n"), None);
        assert_eq!(name(b"Raspberry Pi 5 Model B\0").as_deref(), Some("Raspberry Pi 5 Model B"));
        assert_eq!(name(b"\n"), None);
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = (chip(&bytes), name(&bytes));
        }
    }
}
