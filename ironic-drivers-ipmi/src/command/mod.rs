//! Commands, typed, both directions: a client writes requests and reads responses, a BMC the reverse.

mod boot_options;
mod channel;
mod chassis;
mod device;
mod payload;
mod sdr;
mod sensor;
mod session;

use crate::codec::{CodecError, NetFn, Privilege};

pub use boot_options::{
    BootDevice, BootFlags, BootOption, BootParameter, GetBootOptions, SetBootOptions, SetInProgress,
};
pub use channel::{
    AuthenticationCapabilities, CipherSuiteChunk, GetAuthenticationCapabilities, GetCipherSuites,
    THIS_CHANNEL,
};
pub use chassis::{ChassisAction, ChassisControl, ChassisStatus, GetChassisStatus};
pub use device::{DeviceId, GetDeviceId, GetSystemGuid, Guid};
pub use payload::{ActivateSol, DeactivateSol, SolActivation};
pub use sdr::{GetSdr, GetSdrInfo, ReserveSdr, SdrInfo, SdrPart};
pub use sensor::{
    EventEnable, GetEventEnable, GetReadingFactors, GetSensorReading, GetThresholds, SensorReading,
    ThresholdValues,
};
pub use session::{CloseSession, SetSessionPrivilege};

/// A command of IPMI: its numbers, and how its bytes are laid out.
pub trait Command: Sized {
    /// What a BMC answers when all went well.
    type Response;

    /// The network function.
    const NET_FN: NetFn;
    /// The number within the function.
    const NUMBER: u8;
    /// The privilege level it takes (IPMI 2.0 table G-1).
    const PRIVILEGE: Privilege;

    /// Whether running it twice does no more than running it once.
    ///
    /// A client never sends a command that is not repeatable a second time under a new number.
    fn is_repeatable(&self) -> bool {
        true
    }

    /// The request's data.
    fn encode(&self) -> Vec<u8>;

    /// Reads the request's data.
    ///
    /// # Errors
    /// They are not laid out as the command says.
    fn decode(data: &[u8]) -> Result<Self, CodecError>;

    /// The response's data, completion code excluded.
    fn encode_response(response: &Self::Response) -> Vec<u8>;

    /// Reads the response's data, completion code excluded.
    ///
    /// # Errors
    /// They are not laid out as the command says.
    fn decode_response(data: &[u8]) -> Result<Self::Response, CodecError>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_both<C: Command>(data: &[u8]) {
        let _ = C::decode(data);
        let _ = C::decode_response(data);
    }

    proptest! {
        #[test]
        fn random_bytes_are_an_error_or_a_command(data: Vec<u8>) {
            decode_both::<GetBootOptions>(&data);
            decode_both::<SetBootOptions>(&data);
            decode_both::<GetAuthenticationCapabilities>(&data);
            decode_both::<GetCipherSuites>(&data);
            decode_both::<ChassisControl>(&data);
            decode_both::<GetChassisStatus>(&data);
            decode_both::<ActivateSol>(&data);
            decode_both::<DeactivateSol>(&data);
            decode_both::<GetSdrInfo>(&data);
            decode_both::<ReserveSdr>(&data);
            decode_both::<GetSdr>(&data);
            decode_both::<GetSensorReading>(&data);
            decode_both::<GetEventEnable>(&data);
            decode_both::<GetThresholds>(&data);
            decode_both::<GetReadingFactors>(&data);
            decode_both::<GetDeviceId>(&data);
            decode_both::<GetSystemGuid>(&data);
            decode_both::<CloseSession>(&data);
            decode_both::<SetSessionPrivilege>(&data);
        }
    }
}
