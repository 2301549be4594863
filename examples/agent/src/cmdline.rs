//! The kernel command line, the ramdisk's only configuration file.

use std::collections::BTreeMap;

/// `key=value` words of a kernel command line; the last of two equal keys counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelParams(BTreeMap<String, String>);

impl KernelParams {
    /// Reads the words of `cmdline` that have an equals sign; all others are the kernel's.
    #[must_use]
    pub fn parse(cmdline: &str) -> Self {
        Self(
            cmdline
                .split_whitespace()
                .filter_map(|word| word.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// The value of `key`, if it was given.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The MAC address in `BOOTIF`: pxelinux writes it as `01-aa-bb-…`, iPXE as `aa:bb:…`.
    #[must_use]
    pub fn boot_mac(&self) -> Option<String> {
        let raw = self.get("BOOTIF")?;
        let mac = match raw.split_once('-') {
            Some((_hardware_type, mac)) => mac.replace('-', ":"),
            None => raw.to_owned(),
        };
        Some(mac.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::KernelParams;

    #[test]
    fn words_without_a_value_are_not_ours() {
        let params = KernelParams::parse("quiet ipa-api-url=http://a/?x=1  a=1 a=2\nb=\n");
        assert_eq!(params.get("ipa-api-url"), Some("http://a/?x=1"));
        assert_eq!(params.get("a"), Some("2"));
        assert_eq!(params.get("b"), Some(""));
        assert_eq!(params.get("quiet"), None);
    }

    #[test]
    fn bootif_comes_in_two_spellings() {
        for (given, mac) in [
            ("BOOTIF=01-52-54-00-AB-CD-EF", "52:54:00:ab:cd:ef"),
            ("BOOTIF=52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef"),
        ] {
            assert_eq!(KernelParams::parse(given).boot_mac().as_deref(), Some(mac));
        }
        assert_eq!(KernelParams::parse("x=1").boot_mac(), None);
    }
}
