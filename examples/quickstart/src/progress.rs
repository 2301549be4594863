//! What goes on, for people to watch: a bar per machine, or plain lines where there is no terminal.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use ironic_core::notify::Event;
use ironic_core::states::ProvisionState;
use ironic_vbmc::MachineEvent;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::rack::Rack;
use crate::site::Site;

/// How many state changes a machine's life has here.
const CHANGES: u64 = 19;

pub(crate) struct Progress {
    watcher: JoinHandle<()>,
    bars: Option<Bars>,
}

#[derive(Clone)]
struct Bars {
    all: MultiProgress,
    each: BTreeMap<String, ProgressBar>,
}

impl Bars {
    fn new(rack: &Rack) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{prefix:>12} {bar:24} {elapsed:>4} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let each = rack
            .machines()
            .iter()
            .map(|unit| {
                let bar = all.add(
                    ProgressBar::new(CHANGES)
                        .with_style(style.clone())
                        .with_prefix(unit.name.clone()),
                );
                (unit.name.clone(), bar)
            })
            .collect();
        Self { all, each }
    }
}

impl Progress {
    /// A bar per machine on a terminal, lines elsewhere.
    pub(crate) fn start(rack: &Rack, site: &Site) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(rack));
        Self::watch(rack, site, bars)
    }

    /// A line for everything that happens.
    pub(crate) fn in_lines(rack: &Rack, site: &Site) -> Self {
        Self::watch(rack, site, None)
    }

    fn watch(rack: &Rack, site: &Site, bars: Option<Bars>) -> Self {
        let (mut machines, mut nodes) = (rack.events.subscribe(), site.notifications.subscribe());
        let view = bars.clone();
        let watcher = tokio::spawn(async move {
            let began = Instant::now();
            let mut states: BTreeMap<String, ProvisionState> = BTreeMap::new();
            loop {
                let (name, text, moved) = tokio::select! {
                    biased;
                    node = nodes.recv() => match node {
                        Ok(note) => {
                            let name = note.name.clone().unwrap_or_default();
                            let Event::ProvisionSet { from, to, .. } = note.event else { continue };
                            states.insert(name.clone(), to);
                            (name, format!("{from} → {to}"), true)
                        }
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return,
                    },
                    machine = machines.recv() => match machine {
                        Ok(report) if !shown(&report.event) => continue,
                        Ok(report) => (report.machine.to_string(), report.event.to_string(), false),
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return,
                    },
                };
                match view.as_ref().and_then(|bars| bars.each.get(&name)) {
                    Some(bar) => {
                        bar.inc(u64::from(moved));
                        let state = states
                            .get(&name)
                            .map(ToString::to_string)
                            .unwrap_or_default();
                        let text = if moved { String::new() } else { text };
                        bar.set_message(format!("{state:<15} {text}"));
                    }
                    None if view.is_none() => {
                        eprintln!("[{:7.2}s] {name}: {text}", began.elapsed().as_secs_f64());
                    }
                    None => {}
                }
            }
        });
        Self { watcher, bars }
    }

    pub(crate) fn finish(self) {
        self.watcher.abort();
        if let Some(bars) = self.bars {
            for bar in bars.each.values() {
                bar.finish();
            }
            let _ = bars.all.clear();
        }
    }
}

/// Which events are worth a line.
fn shown(event: &MachineEvent) -> bool {
    match event {
        MachineEvent::BootStarted { .. }
        | MachineEvent::TryingDevice { .. }
        | MachineEvent::LoadedConfig { .. } => false,
        // What the agent is asked besides is asked over and over.
        MachineEvent::AgentCommand(report) => report.step.is_some() || report.fault.is_some(),
        _ => true,
    }
}
