//! Choosing another entry of a configuration file that is already written.

use super::ConfigFormat;

/// The entry of a configuration file that is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootEntry {
    /// The agent's ramdisk.
    Deploy,
    /// A disk that holds a whole image.
    WholeDisk,
    /// A user's ramdisk or ISO image.
    Ramdisk,
    /// The Anaconda installer.
    Anaconda,
    /// An iSCSI volume.
    Iscsi,
    /// A disk that holds a partition image.
    Partition,
}

impl BootEntry {
    /// Returns the entry's name in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::WholeDisk => "boot_whole_disk",
            Self::Ramdisk => "boot_ramdisk",
            Self::Anaconda => "boot_anaconda",
            Self::Iscsi => "boot_iscsi",
            Self::Partition => "boot_partition",
        }
    }
}

/// Rewrites the lines of a configuration that choose the entry.
///
/// Works on any text whose choosing line starts as [`Templates`](super::Templates) says.
pub fn switch_entry(text: &str, format: ConfigFormat, entry: BootEntry) -> String {
    let entry = entry.name();
    rewrite_lines(text, |line| match format {
        ConfigFormat::Ipxe => line.starts_with("goto ").then(|| format!("goto {entry}")),
        ConfigFormat::Pxelinux => line
            .starts_with("default ")
            .then(|| format!("default {entry}")),
        ConfigFormat::Grub => ["set default", "default"]
            .into_iter()
            .find(|start| {
                line.strip_prefix(start)
                    .is_some_and(|rest| rest.starts_with('='))
            })
            .map(|start| format!("{start}={entry}")),
    })
}

/// Fills in the disk, or with `whole_disk` unset the root file system, that an entry boots.
pub fn fill_in_disk(text: &str, identifier: &str, whole_disk: bool) -> String {
    let (name, value) = if whole_disk {
        ("DISK_IDENTIFIER", identifier.to_owned())
    } else {
        ("ROOT", format!("UUID={identifier}"))
    };
    text.replace(&format!("(( {name} ))"), &value)
        .replace(&format!("{{{{ {name} }}}}"), &value)
}

fn rewrite_lines(text: &str, rewrite: impl Fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        match rewrite(content) {
            Some(changed) => result.push_str(&changed),
            None => result.push_str(content),
        }
        result.push_str(end);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_choosing_line_changes() {
        for (format, before, after) in [
            (
                ConfigFormat::Grub,
                "set default=deploy\n set default=x",
                "set default=boot_ramdisk\n set default=x",
            ),
            (
                ConfigFormat::Grub,
                "default=deploy\n",
                "default=boot_ramdisk\n",
            ),
            (
                ConfigFormat::Pxelinux,
                "default deploy\nkernel default ",
                "default boot_ramdisk\nkernel default ",
            ),
            (
                ConfigFormat::Ipxe,
                "goto deploy\nx && goto y",
                "goto boot_ramdisk\nx && goto y",
            ),
        ] {
            assert_eq!(switch_entry(before, format, BootEntry::Ramdisk), after);
        }
    }

    #[test]
    fn both_brackets_are_filled_in() {
        assert_eq!(
            fill_in_disk("a (( DISK_IDENTIFIER ))", "0x1", true),
            "a 0x1"
        );
        assert_eq!(fill_in_disk("a {{ ROOT }}", "u", false), "a UUID=u");
    }
}
