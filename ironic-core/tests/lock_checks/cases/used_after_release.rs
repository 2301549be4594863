use ironic_core::driver::Task;
use ironic_core::task::TaskManager;

async fn forgets(tasks: &TaskManager, mut task: Task) {
    let _ = tasks.release(task).await;
    let _ = task.save().await;
}

fn main() {}
