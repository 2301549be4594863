use ironic_core::testing::{Bug, FleetSettings};

const USAGE: &str = "\
Simulates a fleet of machines from one seed, or looks for a seed that fails.

usage: fleet [--seed N] [--nodes N] [--conductors N] [--trace NODE] [--bug NAME]
       fleet --search SEEDS [--seed FIRST] [--nodes N] [--conductors N] [--bug NAME]
       fleet --bugs [--search SEEDS] [--seed FIRST] [--nodes N] [--conductors N]

  --seed N        where chance begins; of a search, the first seed (default 1)
  --nodes N       how many machines there are (default 200)
  --conductors N  how many conductors look after them (default 5)
  --trace NODE    tells the story of one node, by its number from 0
  --search SEEDS  simulates so many seeds, and the first of them twice (default 200)
  --bug NAME      puts a known defect back
  --bugs          puts one defect back after the other, and expects each to be found
  --help          shows this

It ends with 0 when all is well, with 1 when something is wrong, with 2 when it cannot be run.

defects:
";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// To say how it is used.
    Help,
    /// To simulate one seed.
    One,
    /// To look for a seed that fails, among so many.
    Search(u64),
    /// To put each defect back, and to look for it in so many seeds.
    Bugs(u64),
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) job: Job,
    pub(crate) seed: u64,
    pub(crate) nodes: usize,
    pub(crate) conductors: usize,
    trace: Option<usize>,
    pub(crate) bug: Option<Bug>,
}

impl Asked {
    /// Of a command line, without the program's name.
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self {
            job: Job::One,
            seed: 1,
            nodes: 200,
            conductors: 5,
            trace: None,
            bug: None,
        };
        let (mut seeds, mut bugs) = (None, false);
        while let Some(name) = args.next() {
            match name.as_str() {
                "--help" | "-h" => {
                    asked.job = Job::Help;
                    return Ok(asked);
                }
                "--bugs" => {
                    bugs = true;
                    continue;
                }
                _ => {}
            }
            let mut value = || args.next().ok_or(format!("{name} wants a value"));
            match name.as_str() {
                "--seed" => asked.seed = number(&name, &value()?, 0)?,
                "--search" => seeds = Some(number(&name, &value()?, 1)?),
                "--nodes" => asked.nodes = size(&name, &value()?, 1)?,
                "--conductors" => asked.conductors = size(&name, &value()?, 1)?,
                "--trace" => {
                    let value = value()?;
                    let node = value.strip_prefix("node-").unwrap_or(&value);
                    asked.trace = Some(size(&name, node, 0)?);
                }
                "--bug" => asked.bug = Some(bug(&value()?)?),
                _ => return Err(format!("{name} is unknown; --help tells what there is")),
            }
        }
        asked.job = match (seeds, bugs) {
            (None, false) => Job::One,
            (Some(seeds), false) => Job::Search(seeds),
            (seeds, true) => Job::Bugs(seeds.unwrap_or(200)),
        };
        if bugs && asked.bug.is_some() {
            return Err("--bugs puts back all of them, so --bug does not go with it".to_owned());
        }
        match asked.trace {
            Some(_) if asked.job != Job::One => {
                Err("--trace goes with one seed, not with a search".to_owned())
            }
            Some(node) if node >= asked.nodes => {
                let last = asked.nodes - 1;
                Err(format!("there is no node {node}; the last is {last}"))
            }
            _ => Ok(asked),
        }
    }

    pub(crate) fn usage() -> String {
        let bugs = Bug::ALL.iter();
        let bugs = bugs.map(|bug| format!("  {:<24} {}\n", bug.as_str(), bug.breaks()));
        std::iter::once(USAGE.to_owned()).chain(bugs).collect()
    }

    pub(crate) fn settings(&self, seed: u64, bug: Option<Bug>) -> FleetSettings {
        FleetSettings::new(seed)
            .nodes(self.nodes)
            .conductors(self.conductors)
            .bug(bug)
            .trace(self.trace)
    }

    /// How to see one simulation again.
    pub(crate) fn command(&self, seed: u64, bug: Option<Bug>) -> String {
        let bug = bug.map_or_else(String::new, |bug| format!(" BUG={bug}"));
        format!(
            "make fleet SEED={seed} NODES={} CONDUCTORS={}{bug}",
            self.nodes, self.conductors
        )
    }
}

fn number(name: &str, value: &str, least: u64) -> Result<u64, String> {
    match value.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!(
            "{name} {value}: a whole number from {least} is expected"
        )),
    }
}

fn size(name: &str, value: &str, least: u64) -> Result<usize, String> {
    let number = number(name, value, least)?;
    usize::try_from(number).map_err(|_| format!("{name} {value}: too many"))
}

fn bug(name: &str) -> Result<Bug, String> {
    let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.as_str()).collect();
    let unknown = || format!("there is no defect {name}; there are {}", names.join(", "));
    name.parse().map_err(|_| unknown())
}
