use ironic_core::driver::{SharedTask, Task};

fn forge(shared: SharedTask) -> Task {
    Task { shared }
}

fn main() {}
