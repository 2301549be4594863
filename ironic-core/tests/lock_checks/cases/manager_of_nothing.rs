use ironic_core::task::TaskManager;

fn main() {
    let _ = TaskManager::new;
}
