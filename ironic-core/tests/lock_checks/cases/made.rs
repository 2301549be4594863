use ironic_core::driver::Task;

fn main() {
    let _ = Task::new;
}
