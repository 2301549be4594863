//! What the README shows of a terminal, remade by `make recordings`.
//!
//! `recordings plan`, `plan-undeploy` and `explain` run the engine in virtual time, so that they
//! print the same each time. `recordings svg COMMAND` draws what comes in as a terminal that has run
//! COMMAND; where a line was written over and over, as by a progress bar, the picture moves.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the command line"
)]

mod agent;
mod explain;
mod house;
mod paint;
mod plan;
mod svg;

use std::error::Error;
use std::io::Read as _;

const USAGE: &str = "usage: recordings plan | plan-undeploy | explain | svg COMMAND < OUTPUT";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let text = match args[..] {
        ["plan"] => virtually(plan::deploy())?,
        ["plan-undeploy"] => virtually(plan::undeploy())?,
        ["explain"] => virtually(explain::shown())?,
        ["svg", command] => {
            let mut output = String::new();
            std::io::stdin().read_to_string(&mut output)?;
            svg::drawn(command, &output)
        }
        _ => return Err(USAGE.into()),
    };
    print!("{text}");
    Ok(())
}

/// Runs this in virtual time.
fn virtually(
    shown: impl Future<Output = Result<String, ironic_core::Error>>,
) -> Result<String, Box<dyn Error>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(shown)?)
}

#[cfg(test)]
mod tests {
    use super::{explain, plan, svg, virtually};

    #[test]
    fn the_pictures_in_the_readme_are_of_what_is_printed() {
        let shown = [
            ("plan", virtually(plan::deploy()).unwrap()),
            ("plan-undeploy", virtually(plan::undeploy()).unwrap()),
            ("explain", virtually(explain::shown()).unwrap()),
        ];
        for (name, text) in shown {
            let path = format!("{}/../../docs/{name}.svg", env!("CARGO_MANIFEST_DIR"));
            let drawn = std::fs::read_to_string(&path).unwrap();
            assert!(
                drawn == svg::drawn("", &text),
                "docs/{name}.svg shows something else: `make recordings` draws it anew; now it is\n{text}"
            );
        }
    }
}
