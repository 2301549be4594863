//! Prints the picture of placement: `cargo run -p ironic-hashring --example placement`.
#![allow(clippy::print_stdout, reason = "its purpose")]

mod draw;

fn main() -> Result<(), ironic_hashring::RingError> {
    print!("{}", draw::placement()?);
    Ok(())
}
