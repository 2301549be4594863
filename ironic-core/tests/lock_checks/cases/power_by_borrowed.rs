use ironic_core::driver::Task;
use ironic_core::states::PowerTarget;

async fn switch(task: &Task) {
    let driver = task.driver();
    let _ = driver.power.set_power_state(task, PowerTarget::On, None).await;
}

fn main() {}
