use ironic_core::driver::SharedTask;

fn change(task: &mut SharedTask) {
    task.node_mut().maintenance = true;
}

fn main() {}
