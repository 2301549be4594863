use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::Machine;
use crate::{
    codec::CompletionCode,
    command::{BootDevice, BootFlags, ChassisAction, ChassisStatus, SensorReading},
};

/// A machine that is on or off and boots at once: it keeps power and boot flags, counts boots, and has its
/// sensors say what it is told.
#[derive(Default)]
pub struct PoweredMachine {
    state: Mutex<State>,
    said: Notify,
}

#[derive(Debug, Default)]
struct State {
    on: bool,
    flags: BootFlags,
    boots: Vec<BootDevice>,
    readings: BTreeMap<u8, SensorReading>,
    says: Vec<u8>,
    heard: Vec<u8>,
}

/// How many characters the serial port says at a time.
const MOST_SAID: usize = 256;
/// How many boots are remembered.
const HISTORY: usize = 64;

impl PoweredMachine {
    /// A machine that is off.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it is on.
    pub fn is_powered(&self) -> bool {
        self.state().on
    }

    /// What the latest boots (64 at most) were told to boot from, the oldest first.
    pub fn boots(&self) -> Vec<BootDevice> {
        self.state().boots.clone()
    }

    /// Lets a sensor say this from now on.
    pub fn set_reading(&self, number: u8, reading: SensorReading) {
        self.state().readings.insert(number, reading);
    }

    /// Lets the serial port say this.
    pub fn say(&self, characters: &[u8]) {
        self.state().says.extend_from_slice(characters);
        self.said.notify_one();
    }

    /// What was typed at the serial port's console since somebody last asked.
    pub fn heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().heard)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn boot(&mut self) {
        let device = if self.flags.is_valid() {
            self.flags.device()
        } else {
            BootDevice::None
        };
        if !self.flags.is_persistent() {
            self.flags = self.flags.valid(false);
        }
        if self.boots.len() == HISTORY {
            self.boots.remove(0);
        }
        self.boots.push(device);
    }
}

impl fmt::Debug for PoweredMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoweredMachine")
            .field(&*self.state())
            .finish()
    }
}

#[async_trait]
impl Machine for PoweredMachine {
    async fn chassis_status(&self) -> Result<ChassisStatus, CompletionCode> {
        Ok(ChassisStatus::powered(self.state().on))
    }

    async fn chassis_control(&self, action: ChassisAction) -> Result<(), CompletionCode> {
        let mut state = self.state();
        match action {
            ChassisAction::PowerDown | ChassisAction::SoftShutdown => state.on = false,
            ChassisAction::PowerUp if state.on => {}
            ChassisAction::PowerUp => {
                state.on = true;
                state.boot();
            }
            _ if !state.on => return Err(CompletionCode::NOT_IN_PRESENT_STATE),
            ChassisAction::PowerCycle | ChassisAction::HardReset => state.boot(),
            ChassisAction::DiagnosticInterrupt => {}
        }
        Ok(())
    }

    async fn boot_flags(&self) -> Result<BootFlags, CompletionCode> {
        Ok(self.state().flags)
    }

    async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), CompletionCode> {
        self.state().flags = flags;
        Ok(())
    }

    async fn serial_output(&self) -> Vec<u8> {
        loop {
            let says = {
                let mut state = self.state();
                let count = state.says.len().min(MOST_SAID);
                state.says.drain(..count).collect::<Vec<_>>()
            };
            if !says.is_empty() {
                return says;
            }
            self.said.notified().await;
        }
    }

    fn serial_input(&self, characters: &[u8]) {
        self.state().heard.extend_from_slice(characters);
    }

    async fn sensor(&self, number: u8) -> Result<SensorReading, CompletionCode> {
        let reading = self.state().readings.get(&number).copied();
        Ok(reading.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn power_follows_the_table() {
        for (action, from_off, from_on) in [
            (ChassisAction::PowerDown, Ok(false), Ok(false)),
            (ChassisAction::PowerUp, Ok(true), Ok(true)),
            (ChassisAction::PowerCycle, Err(0xd5), Ok(true)),
            (ChassisAction::HardReset, Err(0xd5), Ok(true)),
            (ChassisAction::DiagnosticInterrupt, Err(0xd5), Ok(true)),
            (ChassisAction::SoftShutdown, Ok(false), Ok(false)),
        ] {
            for (on, expected) in [(false, from_off), (true, from_on)] {
                let machine = PoweredMachine::new();
                machine.state().on = on;
                let result = machine.chassis_control(action).await;
                let result = result.map(|()| machine.is_powered());
                assert_eq!(
                    result,
                    expected.map_err(CompletionCode::new),
                    "{action} from {on}"
                );
            }
        }
    }

    #[tokio::test]
    async fn an_override_holds_for_one_boot_unless_it_is_persistent() {
        let machine = PoweredMachine::new();
        let once = BootFlags::next_boot(BootDevice::Pxe);
        machine.set_boot_flags(once).await.unwrap();
        for action in [ChassisAction::PowerUp, ChassisAction::HardReset] {
            machine.chassis_control(action).await.unwrap();
        }
        assert_eq!(machine.boots(), [BootDevice::Pxe, BootDevice::None]);
        machine.set_boot_flags(once.persistent(true)).await.unwrap();
        for _ in 0..2 {
            machine
                .chassis_control(ChassisAction::PowerCycle)
                .await
                .unwrap();
        }
        assert_eq!(machine.boots()[2..], [BootDevice::Pxe, BootDevice::Pxe]);
        assert!(machine.boot_flags().await.unwrap().is_valid());
    }
}
