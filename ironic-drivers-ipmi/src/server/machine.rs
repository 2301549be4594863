use async_trait::async_trait;

use crate::{
    codec::CompletionCode,
    command::{BootFlags, ChassisAction, ChassisStatus, SensorReading},
};

/// The machine behind a BMC.
///
/// # Contract
/// - The BMC calls one method at a time, in the order in which requests came, and waits for it: a method that takes
///   seconds holds the others up, while the console repeats its request (which does not run it again).
/// - Power up, power down and soft shutdown succeed in any power state. Power cycle, hard reset and diagnostic
///   interrupt of a machine that is off answer [`CompletionCode::NOT_IN_PRESENT_STATE`].
/// - Boot flags that are not persistent hold for one boot: the machine takes their validity away as it starts.
/// - Methods need not be cancel-safe: the BMC drops a running one only when it is itself dropped.
#[async_trait]
pub trait Machine: Send + Sync + 'static {
    /// What the chassis says of itself, power above all.
    async fn chassis_status(&self) -> Result<ChassisStatus, CompletionCode>;

    /// Acts on the machine; returns once the action has begun.
    async fn chassis_control(&self, action: ChassisAction) -> Result<(), CompletionCode>;

    /// The boot flags as they stand.
    async fn boot_flags(&self) -> Result<BootFlags, CompletionCode>;

    /// Replaces the boot flags.
    async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), CompletionCode>;

    /// What the sensor of that number says, one of those that the BMC is configured with. Unless
    /// told, nothing is known.
    async fn sensor(&self, _number: u8) -> Result<SensorReading, CompletionCode> {
        Ok(SensorReading::default())
    }

    /// The next characters that the machine's serial port says, not many at a time; waits for some. May be dropped
    /// while it waits, and then nothing is lost. Called while other methods run. Unless told, there never are any.
    async fn serial_output(&self) -> Vec<u8> {
        std::future::pending().await
    }

    /// Takes characters that somebody has typed at the serial port's console. Called while other methods run.
    fn serial_input(&self, _characters: &[u8]) {}
}

/// What a BMC wants of the machine behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineRequest {
    /// Asks for [`MachineAnswer::Status`].
    Status,
    /// Asks for [`MachineAnswer::Done`].
    Control(ChassisAction),
    /// Asks for [`MachineAnswer::BootFlags`].
    BootFlags,
    /// Asks for [`MachineAnswer::Done`].
    SetBootFlags(BootFlags),
    /// Asks for [`MachineAnswer::Sensor`].
    Sensor(u8),
}

/// What the machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineAnswer {
    /// The chassis' status.
    Status(ChassisStatus),
    /// The boot flags.
    BootFlags(BootFlags),
    /// A sensor's reading.
    Sensor(SensorReading),
    /// It is done, or has begun.
    Done,
}

impl MachineRequest {
    /// Carries the request out.
    ///
    /// # Errors
    /// The machine refused, with the completion code that the console is to get.
    pub async fn run(self, machine: &dyn Machine) -> Result<MachineAnswer, CompletionCode> {
        match self {
            Self::Status => machine.chassis_status().await.map(MachineAnswer::Status),
            Self::Control(action) => machine
                .chassis_control(action)
                .await
                .map(|()| MachineAnswer::Done),
            Self::BootFlags => machine.boot_flags().await.map(MachineAnswer::BootFlags),
            Self::Sensor(number) => machine.sensor(number).await.map(MachineAnswer::Sensor),
            Self::SetBootFlags(flags) => machine
                .set_boot_flags(flags)
                .await
                .map(|()| MachineAnswer::Done),
        }
    }
}
