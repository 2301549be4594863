//! `ironic journal`: what happened, from the journal alone.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ironic_core::Uuid;
use ironic_core::journal::{Entry, Gap, Incident, Missing, Story};

use crate::Failure;

/// The service writes it where `journal` of `[service]` says.
#[derive(Debug, Args)]
pub(crate) struct Journal {
    /// The files, of one conductor or of several.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Of this node alone: its uuid or its name.
    #[arg(long, short, value_name = "NODE")]
    node: Option<String>,
    /// Take every decision again instead, and say which would be taken otherwise today; exit
    /// code 1 if any would, if there is none, or if one cannot be read.
    #[arg(long)]
    check: bool,
}

impl Journal {
    /// Tells, or checks.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let mut check = Check::default();
        let mut story = Story::default();
        for path in &self.files {
            let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let told = self.read(file);
            if self.check {
                told.for_each(|told| check.note(told));
            } else {
                story.extend(told);
            }
        }
        let mut out = std::io::stdout().lock();
        let (told, code) = match self.check {
            true => (check.tell(&mut out), check.code()),
            false => (writeln!(out, "{story}"), ExitCode::SUCCESS),
        };
        match told.and_then(|()| out.flush()) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(code),
        }
    }

    /// What a file tells of the node.
    fn read(&self, file: File) -> impl Iterator<Item = Result<Entry, Gap>> {
        let mut incident = Incident::read(BufReader::new(file));
        let uuid = self
            .node
            .as_ref()
            .and_then(|node| node.parse::<Uuid>().ok());
        if let Some(uuid) = uuid {
            incident = incident.of(uuid);
        }
        let name = self.node.as_deref().filter(|_| uuid.is_none());
        incident.filter(move |told| match (told, name) {
            (Ok(entry), Some(name)) => entry.saw.node.name.as_deref() == Some(name),
            _ => true,
        })
    }
}

/// What came of deciding again.
#[derive(Default)]
struct Check {
    entries: u64,
    differ: u64,
    /// How many lines are something that this program cannot read.
    unread: u64,
    lines: Vec<String>,
}

impl Check {
    fn note(&mut self, told: Result<Entry, Gap>) {
        match told {
            Err(gap) => {
                // What was never written, or was cut off by a crash, was not there to be checked.
                let absent = matches!(gap.missing, Missing::Cut | Missing::Dropped { .. });
                self.unread += u64::from(!absent);
                self.lines.push(format!("missing: {gap}"));
            }
            Ok(entry) => {
                self.entries += 1;
                let again = entry.redecide();
                if !again.is_same() {
                    self.differ += 1;
                    let (node, at, question) = (entry.node, entry.at, entry.question());
                    let line = format!("node {node}, {at}, {question}: {again}");
                    self.lines.push(line);
                }
            }
        }
    }

    fn tell(&self, out: &mut impl Write) -> std::io::Result<()> {
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        let Self {
            entries, differ, ..
        } = self;
        writeln!(out, "{entries} decisions taken again, {differ} otherwise")
    }

    fn code(&self) -> ExitCode {
        if self.entries > 0 && self.differ == 0 && self.unread == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
