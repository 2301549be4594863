use std::time::Duration;

use super::{Command, Join, Line, Settings, parse};
use crate::script::{Location, ScriptError};

const MOST_COMMANDS: u32 = 10_000;
const MOST_FETCHES: u32 = 128;
const DEEPEST: usize = 16;
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// An iPXE at work on a script.
#[derive(Debug)]
pub(crate) struct IpxeSession {
    settings: Settings,
    /// The scripts that run, each chained by the one before it.
    frames: Vec<Frame>,
    pending: Option<Pending>,
    /// The arguments of the kernel that is loaded.
    kernel: Option<String>,
    ramdisks: usize,
    commands: u32,
    fetches: u32,
}

#[derive(Debug)]
struct Frame {
    origin: Location,
    lines: Vec<Line>,
    line: usize,
    command: usize,
    /// How the line's latest command went; a failure says which it was.
    status: Result<(), String>,
}

#[derive(Debug)]
enum Pending {
    Kernel {
        location: Location,
        arguments: String,
    },
    Initrd {
        location: Location,
    },
    Chain {
        location: Location,
    },
    Pause {
        outcome: Result<(), String>,
    },
    Disk,
}

/// What a session wants of the outside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A file, to be answered by [`Answer::Script`], [`Answer::Done`] or [`Answer::Failed`].
    Fetch {
        location: Location,
        kind: FetchKind,
        timeout: Option<Duration>,
    },
    /// A pause, to be answered by [`Answer::Done`].
    Pause(Duration),
    /// A boot from disk; [`Answer::Failed`] where it is not bootable.
    BootDisk,
    /// The session is over.
    Finish(Ending),
}

/// What a file is fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchKind {
    Script,
    Kernel,
    Initrd,
}

/// How a session ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The kernel and the ramdisks fetched last are to be started.
    Linux {
        command_line: String,
        ramdisks: usize,
    },
    NextDevice,
    Reboot,
    PowerOff,
}

/// What the outside answers.
#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    Script(Vec<u8>),
    Failed,
}

/// What running one command comes to.
enum Ran {
    Ok,
    Failed,
    /// The line ends, and perhaps the script: the frames say where to go on.
    Moved,
    Wants(Step),
}

impl IpxeSession {
    /// A session over a script that was fetched from `origin`.
    pub(crate) fn new(
        content: &[u8],
        origin: Location,
        settings: Settings,
    ) -> Result<Self, ScriptError> {
        Ok(Self {
            settings,
            frames: vec![Frame::new(content, origin)?],
            pending: None,
            kernel: None,
            ramdisks: 0,
            commands: 0,
            fetches: 0,
        })
    }

    /// Takes the answer to the step before, [`Answer::Done`] at first, and runs up to the next one.
    pub(crate) fn step(&mut self, answer: Answer) -> Result<Step, ScriptError> {
        self.take(answer)?;
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Ok(Step::Finish(Ending::NextDevice));
            };
            let Some(command) = frame.next() else {
                if let Err(failed) = std::mem::replace(&mut frame.status, Ok(())) {
                    self.leave(Err(failed))?;
                } else if frame.line >= frame.lines.len() {
                    self.leave(Ok(()))?;
                }
                continue;
            };
            self.commands = self.commands.saturating_add(1);
            if self.commands > MOST_COMMANDS {
                return Err(ScriptError::Endless {
                    limit: MOST_COMMANDS,
                    what: "commands",
                });
            }
            let words = command
                .words
                .iter()
                .map(|word| self.settings.expand(word))
                .collect::<Result<Vec<_>, _>>()?;
            match self.run(&words)? {
                Ran::Ok => self.set_status(Ok(())),
                Ran::Failed => self.set_status(Err(words.join(" "))),
                Ran::Moved => {}
                Ran::Wants(step) => return Ok(step),
            }
        }
    }

    fn take(&mut self, answer: Answer) -> Result<(), ScriptError> {
        let status = match (self.pending.take(), answer) {
            (None, _) => return Ok(()),
            (Some(Pending::Kernel { arguments, .. }), Answer::Done) => {
                self.kernel = Some(arguments);
                Ok(())
            }
            (Some(Pending::Initrd { .. }), Answer::Done) => {
                self.ramdisks = self.ramdisks.saturating_add(1);
                Ok(())
            }
            (Some(Pending::Chain { location }), Answer::Script(content)) => {
                if self.frames.len() == DEEPEST {
                    return Err(ScriptError::TooLong("the chain of scripts"));
                }
                match Frame::new(&content, location.clone()) {
                    // Its end is the command's.
                    Ok(frame) => {
                        self.frames.push(frame);
                        return Ok(());
                    }
                    Err(error) => Err(format!("chain {location}: {error}")),
                }
            }
            (Some(Pending::Pause { outcome }), _) => outcome,
            (Some(Pending::Disk), Answer::Done) => return Ok(()),
            (Some(Pending::Disk), _) => Err("sanboot".to_owned()),
            (Some(Pending::Kernel { location, .. }), _) => Err(format!("kernel {location}")),
            (Some(Pending::Initrd { location }), _) => Err(format!("initrd {location}")),
            (Some(Pending::Chain { location }), _) => Err(format!("chain {location}")),
        };
        self.set_status(status);
        Ok(())
    }

    fn set_status(&mut self, status: Result<(), String>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.status = status;
        }
    }

    /// Ends the innermost script; the first one's end is the session's.
    fn leave(&mut self, status: Result<(), String>) -> Result<(), ScriptError> {
        self.frames.pop();
        if self.frames.is_empty() {
            return status
                .map_err(|command| ScriptError::Failed(command.chars().take(256).collect()));
        }
        self.set_status(status);
        Ok(())
    }

    fn run(&mut self, words: &[String]) -> Result<Ran, ScriptError> {
        let mut words = words.iter().map(String::as_str);
        let Some(name) = words.next() else {
            return Ok(Ran::Ok);
        };
        let mut timeout = None;
        let mut arguments = Vec::new();
        let takes_image = matches!(
            name,
            "chain"
                | "imgexec"
                | "kernel"
                | "imgselect"
                | "initrd"
                | "module"
                | "imgfetch"
                | "prompt"
        );
        while let Some(word) = words.next() {
            // Options stand before the image; behind it are the image's own.
            let is_option = takes_image && arguments.is_empty() && word.starts_with('-');
            match word {
                "--timeout" | "-t" if is_option => timeout = words.next().and_then(milliseconds),
                "--name" | "-n" | "--key" | "-k" if is_option => {
                    words.next();
                }
                _ if is_option => {}
                word => arguments.push(word),
            }
        }
        let ran = |ok| Ok(if ok { Ran::Ok } else { Ran::Failed });
        match (name, arguments.as_slice()) {
            ("set", [name]) | ("clear", [name]) => {
                self.settings.clear(name);
                ran(true)
            }
            ("set", [name, value @ ..]) => ran(self.settings.set_text(name, &value.join(" "))?),
            ("inc", [name]) => ran(self.settings.increment(name, 1)?),
            ("inc", [name, by]) => match by.parse() {
                Ok(by) => ran(self.settings.increment(name, by)?),
                Err(_) => ran(false),
            },
            ("isset", [value]) => ran(!value.is_empty()),
            ("iseq", [a, b]) => ran(a == b),
            ("goto", [label]) => Ok(self.go_to(label)),
            ("exit", status) => {
                let status = status.first().is_none_or(|status| *status == "0");
                let status = if status {
                    Ok(())
                } else {
                    Err("exit".to_owned())
                };
                self.leave(status)?;
                Ok(Ran::Moved)
            }
            ("imgfree", _) => {
                (self.kernel, self.ramdisks) = (None, 0);
                ran(true)
            }
            ("imgargs", [_, line @ ..]) => match &mut self.kernel {
                Some(arguments) => {
                    *arguments = line.join(" ");
                    ran(true)
                }
                None => ran(false),
            },
            ("kernel" | "imgselect", [uri, line @ ..]) => {
                self.fetch(uri, FetchKind::Kernel, timeout, &line.join(" "))
            }
            ("initrd" | "module" | "imgfetch", [uri, ..]) => {
                self.fetch(uri, FetchKind::Initrd, timeout, "")
            }
            ("chain", [uri, ..]) => self.fetch(uri, FetchKind::Script, timeout, ""),
            ("boot" | "imgexec", _) => Ok(self.boot()),
            ("sanboot", []) => self.boot_disk(),
            // Options only: the first disk. A URL would be a remote one, which this machine cannot attach.
            ("sanboot", options) if options.iter().all(|word| word.starts_with('-')) => {
                self.boot_disk()
            }
            ("sleep", [seconds]) => match seconds.parse().map(Duration::from_secs) {
                Ok(pause) => Ok(self.pause(pause, Ok(()))),
                Err(_) => ran(false),
            },
            // Nobody presses the key.
            ("prompt", _) => {
                let pause = timeout.unwrap_or(LONGEST_PAUSE);
                Ok(self.pause(pause, Err("prompt".to_owned())))
            }
            ("reboot", _) => Ok(Ran::Wants(Step::Finish(Ending::Reboot))),
            ("poweroff", _) => Ok(Ran::Wants(Step::Finish(Ending::PowerOff))),
            // The network is up already, and nobody reads the screen.
            (
                "dhcp" | "ifopen" | "ifconf" | "ifclose" | "ifstat" | "echo" | "show" | "route",
                _,
            ) => ran(true),
            _ => ran(false),
        }
    }

    fn fetch(
        &mut self,
        uri: &str,
        kind: FetchKind,
        timeout: Option<Duration>,
        arguments: &str,
    ) -> Result<Ran, ScriptError> {
        self.fetches = self.fetches.saturating_add(1);
        if self.fetches > MOST_FETCHES {
            return Err(ScriptError::Endless {
                limit: MOST_FETCHES,
                what: "downloads",
            });
        }
        let Some(frame) = self.frames.last() else {
            return Ok(Ran::Failed);
        };
        let Ok(location) = frame.origin.join(uri) else {
            return Ok(Ran::Failed);
        };
        self.pending = Some(match kind {
            FetchKind::Kernel => Pending::Kernel {
                location: location.clone(),
                arguments: arguments.to_owned(),
            },
            FetchKind::Initrd => Pending::Initrd {
                location: location.clone(),
            },
            FetchKind::Script => Pending::Chain {
                location: location.clone(),
            },
        });
        Ok(Ran::Wants(Step::Fetch {
            location,
            kind,
            timeout,
        }))
    }

    fn boot(&mut self) -> Ran {
        match self.kernel.take() {
            Some(command_line) => Ran::Wants(Step::Finish(Ending::Linux {
                command_line,
                ramdisks: self.ramdisks,
            })),
            None => Ran::Failed,
        }
    }

    fn boot_disk(&mut self) -> Result<Ran, ScriptError> {
        self.pending = Some(Pending::Disk);
        Ok(Ran::Wants(Step::BootDisk))
    }

    fn pause(&mut self, pause: Duration, outcome: Result<(), String>) -> Ran {
        self.pending = Some(Pending::Pause { outcome });
        Ran::Wants(Step::Pause(pause.min(LONGEST_PAUSE)))
    }

    fn go_to(&mut self, label: &str) -> Ran {
        let Some(frame) = self.frames.last_mut() else {
            return Ran::Failed;
        };
        let is_it = |line: &Line| matches!(line, Line::Label(name) if name == label);
        match frame.lines.iter().position(is_it) {
            Some(line) => {
                (frame.line, frame.command, frame.status) = (line, 0, Ok(()));
                Ran::Moved
            }
            None => Ran::Failed,
        }
    }
}

impl Frame {
    fn new(content: &[u8], origin: Location) -> Result<Self, ScriptError> {
        Ok(Self {
            origin,
            lines: parse(content)?,
            line: 0,
            command: 0,
            status: Ok(()),
        })
    }

    /// The line's next command that is to be run; none at the line's end, and the next call is for the next line.
    fn next(&mut self) -> Option<Command> {
        while let Some(Line::Commands(commands)) = self.lines.get(self.line) {
            let Some(command) = commands.get(self.command) else {
                break;
            };
            self.command = self.command.saturating_add(1);
            let runs = match command.join {
                Join::Always => true,
                Join::And => self.status.is_ok(),
                Join::Or => self.status.is_err(),
            };
            if runs {
                return Some(command.clone());
            }
        }
        self.line = self.line.saturating_add(1);
        self.command = 0;
        None
    }
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
