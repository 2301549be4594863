//! The main job, run over the real protocols on loopback.

fn main() {}
