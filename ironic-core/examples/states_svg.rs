//! Prints the picture of the transition table: `cargo run -p ironic-core --example states_svg`.
#![allow(clippy::print_stdout, reason = "its purpose")]

fn main() {
    print!("{}", ironic_core::states::diagram_svg());
}
