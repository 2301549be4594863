use std::collections::{BTreeMap, VecDeque};

use super::{Piece, Statement, Word, parse};
use crate::script::{Linux, ScriptError};

const MOST_COMMANDS: u32 = 10_000;
const MOST_LOADS: u32 = 16;
const LONGEST_WORD: usize = 4096;

/// A GRUB at work on its configuration.
#[derive(Debug)]
pub(crate) struct GrubSession {
    variables: BTreeMap<String, String>,
    entries: Vec<Entry>,
    /// What is still to be run, the innermost script last.
    frames: Vec<VecDeque<Statement>>,
    /// The next script replaces this one, menu and all.
    replaces: bool,
    in_entry: bool,
    kernel: Option<(String, Vec<String>)>,
    initrds: Vec<String>,
    commands: u32,
    loads: u32,
}

#[derive(Debug)]
struct Entry {
    title: String,
    id: Option<String>,
    body: Vec<Statement>,
}

/// What GRUB wants next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum GrubStep {
    /// A script, to be given to [`GrubSession::loaded`].
    Load(String),
    /// A kernel is to be started.
    Linux(Linux),
    /// A boot loader on a disk is to be started.
    Disk,
    /// GRUB gives the machine back to its firmware.
    NextDevice,
}

impl GrubSession {
    /// A session over its first configuration; `variables` are what GRUB knows of the machine.
    pub(crate) fn new(
        text: &str,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, ScriptError> {
        Ok(Self {
            variables,
            entries: Vec::new(),
            frames: vec![parse(text)?.into()],
            replaces: false,
            in_entry: false,
            kernel: None,
            initrds: Vec::new(),
            commands: 0,
            loads: 0,
        })
    }

    /// Takes the script that was asked for; one that could not be had leaves GRUB at the next line.
    pub(crate) fn loaded(&mut self, text: Option<&str>) -> Result<(), ScriptError> {
        let replaces = std::mem::take(&mut self.replaces);
        let Some(text) = text else {
            return Ok(());
        };
        if replaces {
            self.frames.clear();
            self.entries.clear();
            self.in_entry = false;
        }
        self.frames.push(parse(text)?.into());
        Ok(())
    }

    /// Runs up to what only the outside can do.
    pub(crate) fn step(&mut self) -> Result<GrubStep, ScriptError> {
        loop {
            self.frames.pop_if(|frame| frame.is_empty());
            let Some(frame) = self.frames.last_mut() else {
                if self.in_entry {
                    return self.boot();
                }
                self.choose()?;
                continue;
            };
            let step = match frame.pop_front() {
                None => None,
                Some(Statement::Menu { words, body }) => {
                    self.add_entry(&words, body)?;
                    None
                }
                Some(Statement::Command(words)) => self.command(&words)?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn add_entry(&mut self, words: &[Word], body: Vec<Statement>) -> Result<(), ScriptError> {
        let words = self.expand_all(words)?;
        let mut words = words.into_iter();
        match words.next().as_deref() {
            Some("menuentry") => {}
            Some(other) => return Err(ScriptError::Unsupported(other.to_owned())),
            None => return Err(ScriptError::Unsupported("a bare block".to_owned())),
        }
        let title = words.next().unwrap_or_default();
        let mut id = None;
        while let Some(word) = words.next() {
            if word == "--id" {
                id = words.next();
            } else if let Some(given) = word.strip_prefix("--id=") {
                id = Some(given.to_owned());
            }
        }
        self.entries.push(Entry { title, id, body });
        Ok(())
    }

    /// Starts the entry that is booted when nobody presses a key.
    fn choose(&mut self) -> Result<(), ScriptError> {
        if self.entries.is_empty() {
            // Commands outside of a menu may have been all there is.
            self.in_entry = true;
            return Ok(());
        }
        let default = self.variables.get("default").map_or("0", String::as_str);
        let by_name =
            |entry: &Entry| entry.title == default || entry.id.as_deref() == Some(default);
        let entry = match self.entries.iter().find(|entry| by_name(entry)) {
            Some(entry) => Some(entry),
            None => default
                .parse()
                .ok()
                .and_then(|at: usize| self.entries.get(at)),
        };
        let body = entry
            .map(|entry| entry.body.clone())
            .ok_or_else(|| ScriptError::NoEntry(default.to_owned()))?;
        self.in_entry = true;
        self.frames.push(body.into());
        Ok(())
    }

    fn command(&mut self, words: &[Word]) -> Result<Option<GrubStep>, ScriptError> {
        self.commands = self.commands.saturating_add(1);
        if self.commands > MOST_COMMANDS {
            return Err(ScriptError::Endless {
                limit: MOST_COMMANDS,
                what: "commands",
            });
        }
        let words = self.expand_all(words)?;
        let mut arguments = words.iter().map(String::as_str);
        let name = arguments.next().unwrap_or_default();
        match name {
            "set" => {
                if let Some((name, value)) = arguments.next().and_then(|word| word.split_once('='))
                {
                    self.variables.insert(name.to_owned(), value.to_owned());
                }
            }
            "source" | "." | "configfile" => {
                self.loads = self.loads.saturating_add(1);
                if self.loads > MOST_LOADS {
                    return Err(ScriptError::Endless {
                        limit: MOST_LOADS,
                        what: "configurations",
                    });
                }
                self.replaces = name == "configfile";
                return Ok(arguments.next().map(|path| GrubStep::Load(path.to_owned())));
            }
            "linux" | "linuxefi" => {
                let kernel = arguments.next().ok_or(ScriptError::Nothing)?;
                let line = arguments.map(str::to_owned).collect();
                self.kernel = Some((kernel.to_owned(), line));
                self.initrds.clear();
            }
            "initrd" | "initrdefi" => self.initrds = arguments.map(str::to_owned).collect(),
            "chainloader" => return Ok(Some(GrubStep::Disk)),
            "boot" => return self.boot().map(Some),
            "exit" => return Ok(Some(GrubStep::NextDevice)),
            "if" | "while" | "for" | "until" | "function" => {
                return Err(ScriptError::Unsupported(name.to_owned()));
            }
            // `name=value` alone is a `set`; all else changes nothing about what is booted.
            _ => {
                if let Some((name, value)) = name.split_once('=') {
                    self.variables.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(None)
    }

    fn boot(&mut self) -> Result<GrubStep, ScriptError> {
        let (kernel, arguments) = self.kernel.take().ok_or(ScriptError::Nothing)?;
        let mut line = vec![format!("BOOT_IMAGE={kernel}")];
        line.extend(arguments);
        Ok(GrubStep::Linux(Linux {
            kernel,
            initrds: std::mem::take(&mut self.initrds),
            command_line: line.join(" "),
        }))
    }

    fn expand_all(&self, words: &[Word]) -> Result<Vec<String>, ScriptError> {
        words.iter().map(|word| self.expand(word)).collect()
    }

    fn expand(&self, word: &Word) -> Result<String, ScriptError> {
        let mut text = String::new();
        for piece in word {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Variable(name) => {
                    text.push_str(self.variables.get(name).map_or("", String::as_str));
                }
            }
            if text.len() > LONGEST_WORD {
                return Err(ScriptError::TooLong("a word"));
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(text: &str) -> GrubSession {
        let mac = ("net_default_mac".to_owned(), "52:54:00:00:00:01".to_owned());
        GrubSession::new(text, BTreeMap::from([mac])).unwrap()
    }

    const DEPLOY: &str = "set default=deploy\nset timeout=3\nmenuentry \"other\" {\n linux x\n}\n\
        menuentry \"deploy\" {\n linuxefi /t/u/k a=1 b\n initrdefi /t/u/r\n}\n";

    fn deploy() -> GrubStep {
        GrubStep::Linux(Linux {
            kernel: "/t/u/k".to_owned(),
            initrds: vec!["/t/u/r".to_owned()],
            command_line: "BOOT_IMAGE=/t/u/k a=1 b".to_owned(),
        })
    }

    #[test]
    fn the_first_configuration_leads_to_the_machines_own() {
        for first in [
            "source /tftpboot/$net_default_mac.conf\n",
            "set default=m\nmenuentry \"m\" { configfile /tftpboot/${net_default_mac}.conf }",
        ] {
            let mut grub = session(first);
            let wanted = "/tftpboot/52:54:00:00:00:01.conf".to_owned();
            assert_eq!(grub.step(), Ok(GrubStep::Load(wanted)), "{first}");
            grub.loaded(Some(DEPLOY)).unwrap();
            assert_eq!(grub.step(), Ok(deploy()), "{first}");
        }
    }

    #[test]
    fn a_missing_configuration_leaves_nothing_to_boot() {
        let mut grub = session("source /x\n");
        assert!(matches!(grub.step(), Ok(GrubStep::Load(_))));
        grub.loaded(None).unwrap();
        assert_eq!(grub.step(), Err(ScriptError::Nothing));
    }

    #[test]
    fn entries_go_by_number_title_and_id() {
        let menu = "menuentry a { exit }\nmenuentry b --id=c { chainloader x }\n";
        for (default, step) in [
            ("0", Ok(GrubStep::NextDevice)),
            ("a", Ok(GrubStep::NextDevice)),
            ("1", Ok(GrubStep::Disk)),
            ("c", Ok(GrubStep::Disk)),
            ("2", Err(ScriptError::NoEntry("2".to_owned()))),
        ] {
            let mut grub = session(&format!("set default={default}\n{menu}"));
            assert_eq!(grub.step(), step, "{default}");
        }
    }

    #[test]
    fn scripts_that_load_each_other_end() {
        let mut grub = session("configfile a");
        let error = loop {
            match grub.step() {
                Ok(_) => grub.loaded(Some("configfile a")).unwrap(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, ScriptError::Endless { .. }), "{error}");
        let doubling = "set a=$a$a$a$a$a$a$a$a\n".repeat(20);
        let mut grub = session(&format!("set a=xxxxxxxx\n{doubling}"));
        assert_eq!(grub.step(), Err(ScriptError::TooLong("a word")));
    }

    proptest! {
        #[test]
        fn any_script_ends(
            text in "((set|source|menuentry|linux|initrd|boot|exit)? ?[ -~]{0,12}\n){0,10}",
        ) {
            if let Ok(mut grub) = GrubSession::new(&text, BTreeMap::new()) {
                while let Ok(GrubStep::Load(_)) = grub.step() {
                    if grub.loaded(Some(&text)).is_err() {
                        break;
                    }
                }
            }
        }
    }
}
