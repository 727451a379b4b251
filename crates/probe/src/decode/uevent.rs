//! A device's `uevent` file in sysfs: which driver it has and what it is.

use super::text::{label, lines};

/// What a device says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// The driver bound to it, such as `amdgpu`.
    pub driver: Option<String>,
    /// Maker and part on the PCI bus, such as `1002:1586`.
    pub pci_id: Option<String>,
}

impl Device {
    /// Reads the text of `uevent`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Device {
        let value =
            |key: &[u8]| lines(text).find_map(|line| line.strip_prefix(key)).and_then(label);
        Device { driver: value(b"DRIVER="), pci_id: value(b"PCI_ID=") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn driver_and_identity_are_read() {
        let device = Device::parse(b"DRIVER=amdgpu\nPCI_CLASS=38000\nPCI_ID=1002:1586\n");
        assert_eq!(device.driver.as_deref(), Some("amdgpu"));
        assert_eq!(device.pci_id.as_deref(), Some("1002:1586"));
        assert_eq!(Device::parse(b""), Device::default());
    }

    proptest! {
        #[test]
        fn no_input_makes_it_panic(bytes: Vec<u8>) {
            let _ = Device::parse(&bytes);
        }
    }
}
