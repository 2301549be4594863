//! A whole provisioning engine in a 20-line program.

fn main() {}
