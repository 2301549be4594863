//! `ironic db`: a database brought forward, looked at, written out and read in.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use ironic_standalone::HostConfig;
use ironic_standalone::store::SqlAdmin;

use crate::{Failure, variable};

/// What is done to a database.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Tell the version of the tables, and which this program works with.
    Version(Where),
    /// Bring the tables forward to what this program works with, as `serve` does at its start.
    ///
    /// All of it is one transaction. A database that a newer program has brought forward is
    /// refused.
    Upgrade(Where),
    /// Look whether all that is stored fits together; each thing that does not is a line.
    Check(Where),
    /// Write all records to a file, as lines of JSON.
    ///
    /// They are as they were at one moment, and the service may go on meanwhile. THE PASSWORDS OF
    /// MACHINES ARE IN IT, IN CLEAR: the file is made so that its owner alone can read it, and
    /// who writes to `-` has to see to that.
    Export(Export),
    /// Read a file that `export` wrote, of this or of the other sort of database.
    ///
    /// All of it is one transaction: whatever goes wrong, nothing has changed. The service must
    /// not run meanwhile.
    Import(Import),
}

/// Which database. The settings are those that `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct Where {
    /// Settings file (TOML).
    #[arg(long, short, value_name = "FILE", env = "IRONIC_CONFIG")]
    config: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://USER@HOST/NAME` [default: that of the settings].
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file; `-` is standard output. One that is there is replaced once all is written.
    file: PathBuf,
    #[command(flatten)]
    database: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Remove all that the database has, if it has anything.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    database: Where,
}

impl Where {
    fn url(&self) -> Result<String, Failure> {
        let url = match &self.database {
            Some(url) => url.clone(),
            None => HostConfig::load(self.config.as_deref(), &variable)?.database,
        };
        if url == "memory:" {
            return Err("no database is named: give --database URL, or a settings file".into());
        }
        Ok(url)
    }
}

/// Does it; the message of a success goes to standard output, but for an export to it.
pub(crate) async fn run(command: &Db) -> Result<(), Failure> {
    match command {
        Db::Version(database) => version(&database.url()?).await,
        Db::Upgrade(database) => upgrade(&database.url()?).await,
        Db::Check(database) => check(&database.url()?).await,
        Db::Export(export) => write_out(&export.database.url()?, &export.file).await,
        Db::Import(import) => read_in(&import.database.url()?, &import.file, import.replace).await,
    }
}

fn say(what: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(io::stdout(), "{what}")
}

async fn version(url: &str) -> Result<(), Failure> {
    let version = SqlAdmin::new(url)?.version().await?;
    let (database, found, known) = (version.database, version.found, version.known);
    let advice = match found.cmp(&known) {
        std::cmp::Ordering::Less => ": `ironic db upgrade` brings it forward",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => ": a newer program has brought it forward",
    };
    say(format_args!(
        "{database} schema {found}, this program works with {known}{advice}"
    ))?;
    Ok(())
}

async fn upgrade(url: &str) -> Result<(), Failure> {
    let version = SqlAdmin::create(url)?.upgrade().await?;
    let (database, found, known) = (version.database, version.found, version.known);
    if found == known {
        say(format_args!("{database} schema {known}: nothing to do"))?;
    } else {
        say(format_args!(
            "{database} schema {found} brought forward to {known}"
        ))?;
    }
    Ok(())
}

async fn check(url: &str) -> Result<(), Failure> {
    let database = SqlAdmin::new(url)?;
    let bar = bar("checked");
    let mut done = 0;
    let findings = database
        .check(&mut |now, of| {
            done = now;
            show(&bar, now, of);
        })
        .await?;
    bar.finish_and_clear();
    for finding in &findings {
        say(format_args!("{finding}"))?;
    }
    if findings.is_empty() {
        say(format_args!("{done} records fit together"))?;
        return Ok(());
    }
    Err(format!("{} things do not fit together", findings.len()).into())
}

async fn write_out(url: &str, file: &Path) -> Result<(), Failure> {
    let database = SqlAdmin::new(url)?;
    let bar = bar("exported");
    let progress = &mut |now, of| show(&bar, now, of);
    if file == Path::new("-") {
        let mut out = BufWriter::new(io::stdout());
        database.export(&mut out, progress).await?;
        out.flush()?;
        bar.finish_and_clear();
        return Ok(());
    }
    // Beside it, so that what is there under its name is always whole.
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let named = |error: io::Error| Failure::from(format!("{}: {error}", part.display()));
    let created = create(&part).map_err(named)?;
    let mut out = BufWriter::new(created);
    let written = async {
        let records = database.export(&mut out, progress).await?;
        out.flush()?;
        out.get_ref().sync_all()?;
        std::fs::rename(&part, file)?;
        // Nor does the name get lost again if the power fails.
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok::<_, Failure>(records)
    };
    let written = written.await;
    bar.finish_and_clear();
    match written {
        Ok(records) => {
            say(format_args!(
                "{records} records exported to {}",
                file.display()
            ))?;
            Ok(())
        }
        Err(failure) => {
            let _ = std::fs::remove_file(&part);
            Err(failure)
        }
    }
}

/// A file that its owner alone can read, whatever is there by its name.
fn create(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

async fn read_in(url: &str, file: &Path, replace: bool) -> Result<(), Failure> {
    let bar = bar("imported");
    let progress = &mut |now, of| show(&bar, now, of);
    let records = if file == Path::new("-") {
        let mut input = BufReader::new(io::stdin());
        SqlAdmin::create(url)?
            .import(&mut input, replace, progress)
            .await
    } else {
        let input = File::open(file);
        let input = input.map_err(|error| format!("{}: {error}", file.display()))?;
        let mut input = BufReader::new(input);
        SqlAdmin::create(url)?
            .import(&mut input, replace, progress)
            .await
    };
    bar.finish_and_clear();
    say(format_args!("{} records imported", records?))?;
    Ok(())
}

/// Records done, of how many, where somebody is there to see it.
fn bar(what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = "{bar:40} {human_pos} of {human_len} records {msg}, {eta} left";
    let style = ProgressStyle::with_template(style);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}

fn show(bar: &ProgressBar, now: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(now);
}
