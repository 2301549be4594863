//! `ironic policy`: who may do what, by the policies of the settings.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use ironic_standalone::HostConfig;
use ironic_standalone::access::{Authorizer, Identity, Policies, Target};

use super::{Failure, variable};

/// What can be asked of the policies.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Print every rule with its check.
    ///
    /// A rule that the policy file says is marked with an asterisk.
    List(List),
    /// Say whether a rule lets somebody through, and why.
    ///
    /// The program ends with 1 where it does not.
    Check(Check),
}

/// Where the policies are.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Settings file (TOML); the environment counts too.
    #[arg(long, short, value_name = "FILE", env = "IRONIC_CONFIG")]
    config: Option<PathBuf>,
    /// Policy file, in place of that of the settings.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    source: Source,
    /// Print only rules whose names have this within them.
    #[arg(value_name = "TEXT")]
    within: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    source: Source,
    /// The rule, as `baremetal:node:set_power_state`.
    #[arg(value_name = "RULE")]
    rule: String,
    /// The roles of who asks, with commas. A token of an administrator has
    /// `admin,manager,member,reader`.
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<String>,
    /// The project that they ask for, by its id.
    #[arg(long, value_name = "ID", conflicts_with = "system")]
    project: Option<String>,
    /// The name of that project.
    #[arg(long, value_name = "NAME")]
    project_name: Option<String>,
    /// They ask for the whole system.
    #[arg(long)]
    system: bool,
    /// Who asks, by the user's id.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// What it is about.
    #[arg(long, value_enum, default_value = "node")]
    about: About,
    /// The project that it belongs to.
    #[arg(long, value_name = "ID")]
    owner: Option<String>,
    /// The project that the node is leased to.
    #[arg(long, value_name = "ID")]
    lessee: Option<String>,
}

/// What a question is about.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum About {
    Node,
    Allocation,
    Runbook,
    /// Nothing in particular.
    Nothing,
}

impl Policy {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::List(list) => list.run().map(|()| ExitCode::SUCCESS),
            Self::Check(check) => check.run(),
        }
    }
}

impl Source {
    fn load(&self) -> Result<Policies, Failure> {
        let mut config = HostConfig::load(self.config.as_deref(), &variable)?;
        if let Some(file) = &self.file {
            config.access.policy_file = Some(file.display().to_string());
        }
        Ok(config.access.policies()?)
    }
}

impl List {
    fn run(&self) -> Result<(), Failure> {
        let policies = self.source.load()?;
        let within = self.within.as_deref().unwrap_or_default();
        let rules = policies.rules().filter(|(name, ..)| name.contains(within));
        let rules: Vec<_> = rules.collect();
        let width = rules.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let mut out = std::io::stdout().lock();
        for (name, check, overridden) in rules {
            let mark = if overridden { '*' } else { ' ' };
            writeln!(out, "{name:width$} {mark} \"{check}\"")?;
        }
        Ok(())
    }
}

impl Check {
    fn run(self) -> Result<ExitCode, Failure> {
        let policies = self.source.load()?;
        let mut who = Identity::anonymous();
        who.roles = self.roles;
        who.project_id = self.project;
        who.project_name = self.project_name;
        who.user_id = self.user;
        who.system_scope = self.system.then(|| "all".to_owned());
        let owner = self.owner.as_deref();
        let target = match self.about {
            About::Node => Target::node(owner, self.lessee.as_deref()),
            About::Allocation => Target::allocation(owner),
            About::Runbook => Target::runbook(owner),
            About::Nothing => Target::nothing(),
        };
        if !policies.governs(&self.rule) {
            let meant = policies.nearest(&self.rule);
            let meant = meant.map(|name| format!("; did you mean {name}?"));
            let meant = meant.unwrap_or_default();
            return Err(format!("there is no rule {:?}{meant}", self.rule).into());
        }
        let why = policies.explain(&self.rule, &who, &target);
        let why = why.ok_or("the rule cannot be explained")?;
        let mut out = std::io::stdout().lock();
        let word = if why.allowed {
            "allowed"
        } else {
            "not allowed"
        };
        writeln!(out, "{}: {word}", self.rule)?;
        for line in why.because {
            writeln!(out, "  {line}")?;
        }
        Ok(match why.allowed {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}
