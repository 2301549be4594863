use ironic_core::driver::SharedTask;
use ironic_core::states::PowerTarget;

async fn switch(task: &SharedTask) {
    let driver = task.driver();
    let _ = driver.power.set_power_state(task, PowerTarget::On, None).await;
}

fn main() {}
