use ironic_core::driver::SharedTask;

fn change(task: &mut SharedTask) {
    task.node().maintenance = true;
}

fn main() {}
