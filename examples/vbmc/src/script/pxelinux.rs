use std::net::Ipv4Addr;

use ironic_pxe::dhcp::HardwareAddress;
use uuid::Uuid;

use super::{Linux, ScriptError};

const MAX_LABELS: usize = 1024;

/// The names under which pxelinux looks for its configuration, in its order: by the machine's identifier, its
/// hardware address, ever shorter parts of its IP address, and at last one for all.
pub(crate) fn configuration_names(
    machine: Uuid,
    mac: HardwareAddress,
    address: Ipv4Addr,
) -> Vec<String> {
    let mac = mac.to_string().replace(':', "-");
    let ip = format!("{:08X}", u32::from(address));
    let mut names = vec![machine.to_string(), format!("01-{mac}")];
    names.extend(
        (1..=ip.len())
            .rev()
            .filter_map(|len| ip.get(..len).map(str::to_owned)),
    );
    names.push("default".to_owned());
    names
        .into_iter()
        .map(|name| format!("pxelinux.cfg/{name}"))
        .collect()
}

/// A configuration of pxelinux, as far as machines that nobody watches need it: no menus, no prompts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PxelinuxConfig {
    default: Option<String>,
    /// What stands before the first label holds for all.
    common: Label,
    labels: Vec<Label>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Label {
    name: String,
    kernel: Option<String>,
    append: Option<String>,
    initrd: Option<String>,
    ip_append: Option<u32>,
    local_boot: bool,
}

/// What pxelinux boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PxelinuxEntry {
    /// A kernel, with what `ipappend` asks to be added to its command line.
    Linux { linux: Linux, ip_append: u32 },
    /// A disk: the one with this identifier in its boot record, or the first.
    Disk { identifier: Option<u32> },
    /// Whatever the firmware has next.
    NextDevice,
}

impl PxelinuxConfig {
    /// Reads a configuration; what is unknown is passed over, as pxelinux does.
    pub(crate) fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut config = Self::default();
        for line in text.lines() {
            let line = line.trim();
            let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            match keyword.to_ascii_lowercase().as_str() {
                "default" => config.default = Some(rest.to_owned()),
                "label" if config.labels.len() == MAX_LABELS => {
                    return Err(ScriptError::TooLong("the list of labels"));
                }
                "label" => config.labels.push(Label {
                    name: rest.to_owned(),
                    ..Label::default()
                }),
                keyword => config
                    .labels
                    .last_mut()
                    .unwrap_or(&mut config.common)
                    .set(keyword, rest),
            }
        }
        Ok(config)
    }

    /// What is booted when nobody presses a key.
    pub(crate) fn entry(&self) -> Result<PxelinuxEntry, ScriptError> {
        let name = match (&self.default, self.labels.first()) {
            (Some(default), _) => default.split_whitespace().next().unwrap_or_default(),
            (None, Some(first)) => &first.name,
            (None, None) => return Err(ScriptError::Nothing),
        };
        let label = self
            .labels
            .iter()
            .find(|label| label.name == name)
            .ok_or_else(|| ScriptError::NoEntry(name.to_owned()))?;
        label.entry(&self.common)
    }
}

impl Label {
    fn set(&mut self, keyword: &str, value: &str) {
        let text = || Some(value.to_owned());
        match keyword {
            "kernel" | "linux" | "com32" => self.kernel = text(),
            // A dash is nothing at all, not even what stands before the labels.
            "append" => self.append = Some(value.strip_prefix('-').unwrap_or(value).to_owned()),
            "initrd" => self.initrd = text(),
            "ipappend" | "sysappend" => self.ip_append = number(value),
            "localboot" => self.local_boot = true,
            _ => {}
        }
    }

    fn entry(&self, common: &Self) -> Result<PxelinuxEntry, ScriptError> {
        if self.local_boot {
            return Ok(PxelinuxEntry::NextDevice);
        }
        let kernel = self.kernel.clone().ok_or(ScriptError::Nothing)?;
        let append = self.append.as_ref().or(common.append.as_ref());
        let append = append.cloned().unwrap_or_default();
        let module = kernel.rsplit('/').next().unwrap_or_default();
        if module == "chain.c32" {
            return chain(&append);
        }
        if module.ends_with(".c32") {
            return Err(ScriptError::Unsupported(module.to_owned()));
        }
        let mut words: Vec<String> = append.split_whitespace().map(str::to_owned).collect();
        let initrd = self.initrd.as_ref().or(common.initrd.as_ref());
        words.extend(initrd.map(|initrd| format!("initrd={initrd}")));
        let initrds = words
            .iter()
            .filter_map(|word| word.strip_prefix("initrd="))
            .next_back()
            .map(|list| list.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        words.insert(0, format!("BOOT_IMAGE={kernel}"));
        Ok(PxelinuxEntry::Linux {
            linux: Linux {
                kernel,
                initrds,
                command_line: words.join(" "),
            },
            ip_append: self.ip_append.or(common.ip_append).unwrap_or_default(),
        })
    }
}

fn chain(arguments: &str) -> Result<PxelinuxEntry, ScriptError> {
    match arguments.split_whitespace().next() {
        None | Some("boot" | "hd" | "hd0") => Ok(PxelinuxEntry::Disk { identifier: None }),
        Some(word) => word
            .strip_prefix("mbr:")
            .or_else(|| word.strip_prefix("mbr="))
            .and_then(number)
            .map(|identifier| PxelinuxEntry::Disk {
                identifier: Some(identifier),
            })
            .ok_or_else(|| ScriptError::Unsupported(format!("chain.c32 {word}"))),
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_come_in_pxelinux_own_order() {
        let machine = Uuid::from_u128(0xb8945908_d6a6_41a9_611d_74a6ab80b83d);
        let mac = "88:99:AA:BB:CC:DD".parse().unwrap();
        let names = configuration_names(machine, mac, Ipv4Addr::new(192, 168, 2, 91));
        // The example of the Syslinux project's own documentation.
        let expected = [
            "b8945908-d6a6-41a9-611d-74a6ab80b83d",
            "01-88-99-aa-bb-cc-dd",
            "C0A8025B",
            "C0A8025",
            "C0A802",
            "C0A80",
            "C0A8",
            "C0A",
            "C0",
            "C",
            "default",
        ];
        assert_eq!(names, expected.map(|name| format!("pxelinux.cfg/{name}")));
    }

    fn entry(text: &str) -> Result<PxelinuxEntry, ScriptError> {
        PxelinuxConfig::parse(text)?.entry()
    }

    #[test]
    fn the_default_label_is_booted() {
        let text = "DEFAULT deploy\n\nlabel other\nkernel x\n label deploy\n\tkernel u/k\n\
                    append initrd=u/r a=1 nofb\nipappend 2\nlabel boot_whole_disk\nlocalboot 0\n";
        let PxelinuxEntry::Linux { linux, ip_append } = entry(text).unwrap() else {
            panic!("no kernel");
        };
        assert_eq!(linux.kernel, "u/k");
        assert_eq!(linux.initrds, ["u/r"]);
        assert_eq!(linux.command_line, "BOOT_IMAGE=u/k initrd=u/r a=1 nofb");
        assert_eq!(ip_append, 2);
    }

    #[test]
    fn disks_are_told_apart_by_their_identifier() {
        let of = |append: &str| {
            entry(&format!(
                "default d\nlabel d\nCOM32 chain.c32\nappend {append}\n"
            ))
        };
        let disk = |identifier| Ok(PxelinuxEntry::Disk { identifier });
        assert_eq!(of("mbr:0x1a2b3c4d"), disk(Some(0x1a2b_3c4d)));
        assert_eq!(of("hd0"), disk(None));
        assert!(of("mbr:(( DISK_IDENTIFIER ))").is_err());
        assert_eq!(
            entry("default d\nlabel d\nlocalboot 0\n"),
            Ok(PxelinuxEntry::NextDevice)
        );
    }

    #[test]
    fn what_cannot_be_booted_says_why() {
        assert_eq!(entry(""), Err(ScriptError::Nothing));
        assert_eq!(
            entry("default x\nlabel y\nkernel k"),
            Err(ScriptError::NoEntry("x".to_owned()))
        );
        assert_eq!(entry("label y\nappend z"), Err(ScriptError::Nothing));
        assert_eq!(
            entry("label y\nkernel vesamenu.c32"),
            Err(ScriptError::Unsupported("vesamenu.c32".to_owned()))
        );
        assert!(PxelinuxConfig::parse(&"label x\n".repeat(MAX_LABELS + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_an_entry_or_an_error(
            text in "((default|label|kernel|append|initrd|com32|ipappend)? ?[ -~]{0,20}\n){0,12}",
        ) {
            let _ = entry(&text);
        }
    }
}
