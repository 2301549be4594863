//! `ironic journal`: what happened, from the journal alone.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use ironic_core::Uuid;
use ironic_core::journal::{Entry, Gap, Incident, Story};

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
    /// code 1 if any would.
    #[arg(long)]
    check: bool,
}

impl Journal {
    /// Tells, or checks.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let told = self.tell();
        match &told {
            // Whoever read it has seen enough.
            Err(failure) if is_broken_pipe(failure) => Ok(ExitCode::SUCCESS),
            _ => told,
        }
    }

    fn tell(&self) -> Result<ExitCode, Failure> {
        let mut out = std::io::stdout().lock();
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
        if !self.check {
            writeln!(out, "{story}")?;
            return Ok(ExitCode::SUCCESS);
        }
        for line in &check.lines {
            writeln!(out, "{line}")?;
        }
        let Check {
            entries, differ, ..
        } = check;
        writeln!(out, "{entries} decisions taken again, {differ} otherwise")?;
        Ok(if differ == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
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
    lines: Vec<String>,
}

impl Check {
    fn note(&mut self, told: Result<Entry, Gap>) {
        match told {
            Err(gap) => self.lines.push(format!("missing: {gap}")),
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
}

fn is_broken_pipe(failure: &Failure) -> bool {
    let error = failure.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
