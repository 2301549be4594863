use ironic_core::driver::Task;

fn change(task: &Task) {
    task.node_mut().maintenance = true;
}

fn main() {}
