use super::{config::BmcConfig, machine::MachineRequest};
use crate::{
    codec::{CipherSuite, CodecError, CompletionCode, NetFn, Privilege, RequestMessage},
    command::{
        ActivateSol, AuthenticationCapabilities, BootOption, BootParameter, ChassisControl,
        CipherSuiteChunk, CloseSession, Command, DeactivateSol, GetAuthenticationCapabilities,
        GetBootOptions, GetChassisStatus, GetCipherSuites, GetDeviceId, GetEventEnable, GetSdr,
        GetSdrInfo, GetSensorReading, GetSystemGuid, GetThresholds, ReserveSdr, SetBootOptions,
        SetSessionPrivilege, THIS_CHANNEL,
    },
};

/// The number of the only channel there is.
const CHANNEL: u8 = 1;

/// What is to be done about a request.
#[derive(Debug)]
pub(crate) enum Action {
    /// Answer with these bytes.
    Answer(Vec<u8>),
    /// Ask the machine.
    Machine(MachineRequest),
    /// Set one of the boot options that the BMC keeps itself.
    SetBootOption(BootParameter),
    /// Tell one of the boot options that the BMC keeps itself.
    GetBootOption(BootOption),
    /// Say how much there is in the sensor repository.
    SdrInfo,
    /// Reserve the sensor repository.
    ReserveSdr,
    /// Give a part of a sensor's record.
    GetSdr(GetSdr),
    /// Tell a sensor's reading, which is the machine's to know.
    SensorReading(u8),
    /// Tell a sensor's thresholds.
    Thresholds(u8),
    /// Tell of what a sensor writes events.
    Events(u8),
    /// Give the serial port to this session.
    ActivateSol,
    /// Take the serial port from whoever has it.
    DeactivateSol,
    /// Change the session's privilege level.
    SetPrivilege(Option<Privilege>),
    /// End the session of that id.
    CloseSession(u32),
}

/// Decides about a request in a session of that level.
pub(crate) fn in_session(
    config: &BmcConfig,
    request: &RequestMessage<'_>,
    level: Privilege,
) -> Result<Action, CompletionCode> {
    if request.lun != 0 {
        return Err(CompletionCode::INVALID_COMMAND);
    }
    match (request.net_fn, request.command) {
        (GetChassisStatus::NET_FN, GetChassisStatus::NUMBER) => {
            read::<GetChassisStatus>(request, level)
                .map(|_| Action::Machine(MachineRequest::Status))
        }
        (ChassisControl::NET_FN, ChassisControl::NUMBER) => read::<ChassisControl>(request, level)
            .map(|ChassisControl(action)| Action::Machine(MachineRequest::Control(action))),
        (SetBootOptions::NET_FN, SetBootOptions::NUMBER) => {
            let set = read::<SetBootOptions>(request, level)?;
            Ok(match set.parameter {
                BootParameter::Flags(flags) => Action::Machine(MachineRequest::SetBootFlags(flags)),
                other => Action::SetBootOption(other),
            })
        }
        (GetBootOptions::NET_FN, GetBootOptions::NUMBER) => {
            let get = read::<GetBootOptions>(request, level)?;
            Ok(match get.option {
                BootOption::FLAGS => Action::Machine(MachineRequest::BootFlags),
                other => Action::GetBootOption(other),
            })
        }
        (GetDeviceId::NET_FN, GetDeviceId::NUMBER) => {
            read::<GetDeviceId>(request, level).map(|_| answer::<GetDeviceId>(&config.device_id()))
        }
        (ActivateSol::NET_FN, ActivateSol::NUMBER) => {
            read::<ActivateSol>(request, level).map(|_| Action::ActivateSol)
        }
        (DeactivateSol::NET_FN, DeactivateSol::NUMBER) => {
            read::<DeactivateSol>(request, level).map(|_| Action::DeactivateSol)
        }
        (NetFn::STORAGE | NetFn::SENSOR, _) if !config.sensors.is_empty() => {
            of_sensors(request, level)
        }
        (SetSessionPrivilege::NET_FN, SetSessionPrivilege::NUMBER) => {
            read::<SetSessionPrivilege>(request, level)
                .map(|SetSessionPrivilege(level)| Action::SetPrivilege(level))
        }
        (CloseSession::NET_FN, CloseSession::NUMBER) => read::<CloseSession>(request, level)
            .map(|CloseSession(session)| Action::CloseSession(session)),
        _ => match outside(config, request) {
            // Nothing is too high for a session; it is just not there.
            Err(CompletionCode::INSUFFICIENT_PRIVILEGE) => Err(CompletionCode::INVALID_COMMAND),
            other => other.map(Action::Answer),
        },
    }
}

/// Decides about a request to a BMC that has sensors.
fn of_sensors(request: &RequestMessage<'_>, level: Privilege) -> Result<Action, CompletionCode> {
    match (request.net_fn, request.command) {
        (GetSdrInfo::NET_FN, GetSdrInfo::NUMBER) => {
            read::<GetSdrInfo>(request, level).map(|_| Action::SdrInfo)
        }
        (ReserveSdr::NET_FN, ReserveSdr::NUMBER) => {
            read::<ReserveSdr>(request, level).map(|_| Action::ReserveSdr)
        }
        (GetSdr::NET_FN, GetSdr::NUMBER) => read::<GetSdr>(request, level).map(Action::GetSdr),
        (GetSensorReading::NET_FN, GetSensorReading::NUMBER) => {
            read::<GetSensorReading>(request, level)
                .map(|GetSensorReading(number)| Action::SensorReading(number))
        }
        (GetThresholds::NET_FN, GetThresholds::NUMBER) => read::<GetThresholds>(request, level)
            .map(|GetThresholds(number)| Action::Thresholds(number)),
        (GetEventEnable::NET_FN, GetEventEnable::NUMBER) => read::<GetEventEnable>(request, level)
            .map(|GetEventEnable(number)| Action::Events(number)),
        _ => Err(CompletionCode::INVALID_COMMAND),
    }
}

/// Decides about a request outside any session: how to open one, and who this is.
pub(crate) fn outside(
    config: &BmcConfig,
    request: &RequestMessage<'_>,
) -> Result<Vec<u8>, CompletionCode> {
    if request.net_fn != NetFn::APP {
        return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
    }
    let level = Privilege::User;
    match request.command {
        GetAuthenticationCapabilities::NUMBER => {
            let get = read::<GetAuthenticationCapabilities>(request, level)?;
            check_channel(get.channel)?;
            let capabilities =
                AuthenticationCapabilities::rmcp_plus(CHANNEL, config.bmc_key.is_some());
            Ok(GetAuthenticationCapabilities::encode_response(
                &capabilities,
            ))
        }
        GetCipherSuites::NUMBER => {
            let get = read::<GetCipherSuites>(request, level)?;
            check_channel(get.channel)?;
            let list = if get.by_suite {
                suite_list(&config.suites)
            } else {
                algorithm_list(&config.suites)
            };
            let chunk = CipherSuiteChunk::of_list(CHANNEL, &list, get.index);
            Ok(GetCipherSuites::encode_response(&chunk))
        }
        GetSystemGuid::NUMBER => {
            read::<GetSystemGuid>(request, level)?;
            Ok(GetSystemGuid::encode_response(&config.guid))
        }
        _ => Err(CompletionCode::INSUFFICIENT_PRIVILEGE),
    }
}

/// Whether a command changes the machine, so that it must not run twice for one request.
pub(crate) fn changes_machine(request: &RequestMessage<'_>) -> bool {
    request.net_fn == NetFn::CHASSIS
        && matches!(
            request.command,
            ChassisControl::NUMBER | SetBootOptions::NUMBER
        )
}

fn read<C: Command>(request: &RequestMessage<'_>, level: Privilege) -> Result<C, CompletionCode> {
    if level < C::PRIVILEGE {
        return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
    }
    C::decode(request.data).map_err(|error| match error {
        CodecError::Truncated { .. } | CodecError::Trailing { .. } => {
            CompletionCode::INVALID_LENGTH
        }
        _ => CompletionCode::INVALID_FIELD,
    })
}

fn answer<C: Command>(response: &C::Response) -> Action {
    Action::Answer(C::encode_response(response))
}

fn check_channel(channel: u8) -> Result<(), CompletionCode> {
    match channel {
        CHANNEL | THIS_CHANNEL => Ok(()),
        _ => Err(CompletionCode::INVALID_FIELD),
    }
}

fn suite_list(suites: &[CipherSuite]) -> Vec<u8> {
    let mut list = Vec::new();
    for suite in suites {
        suite.encode_record(&mut list);
    }
    list
}

/// Every algorithm once, tagged with its kind, without suites.
fn algorithm_list(suites: &[CipherSuite]) -> Vec<u8> {
    let mut list: Vec<u8> = suites
        .iter()
        .map(|suite| suite.algorithms())
        .flat_map(|algorithms| {
            [
                algorithms.authentication,
                0x40 | algorithms.integrity,
                0x80 | algorithms.confidentiality,
            ]
        })
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}
