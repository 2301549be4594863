use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ironic_core::Entropy;
use tokio::sync::{mpsc, oneshot};

use super::{
    Endpoint,
    task::{Order, Ticket, run},
};
use crate::{
    codec::{CodecError, CompletionCode},
    command::{
        BootFlags, BootOption, BootParameter, ChassisAction, ChassisControl, ChassisStatus,
        Command, DeviceId, GetBootOptions, GetChassisStatus, GetDeviceId, GetSystemGuid, Guid,
        SetBootOptions, SetInProgress,
    },
    console::{IpmiError, Request},
};

/// Speaks to any number of BMCs over one UDP socket for each address family.
///
/// Clones share sockets and sessions. One background task does the work; it ends, and closes the sessions, when the
/// last clone and the last [`Bmc`] are gone.
#[derive(Clone)]
pub struct IpmiClient {
    shared: Arc<Shared>,
}

struct Shared {
    orders: mpsc::UnboundedSender<Order>,
    tickets: AtomicU64,
}

impl fmt::Debug for IpmiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpmiClient").finish_non_exhaustive()
    }
}

impl IpmiClient {
    /// A client; its task starts on the tokio runtime that this is called from.
    ///
    /// # Panics
    /// There is no tokio runtime around.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        // Every request has a caller who waits for it, so the queue is no longer than there are callers.
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run(inbox, entropy));
        Self {
            shared: Arc::new(Shared {
                orders,
                tickets: AtomicU64::new(0),
            }),
        }
    }

    /// A handle on a BMC. Nothing is sent; handles with equal endpoints share one session.
    #[must_use]
    pub fn bmc(&self, endpoint: Endpoint) -> Bmc {
        Bmc {
            shared: Arc::clone(&self.shared),
            endpoint: Arc::new(endpoint),
        }
    }
}

/// One BMC, as [`IpmiClient`] reaches it.
///
/// # Contract
/// - Requests to one BMC are carried out in order, one at a time; those to different BMCs at the same time.
/// - Each future can be dropped at any moment: what waits in line is forgotten, and what is under way is repeated no
///   more, though it may have run.
/// - A session is opened for the first request, and again where the BMC has ended it. A command that does more when
///   it runs twice is never sent in two sessions.
#[derive(Clone)]
pub struct Bmc {
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
}

impl fmt::Debug for Bmc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bmc")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Bmc {
    /// Where the BMC is, and as whom it is spoken to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What the chassis says of itself: four exchanges without a session, one with.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn chassis_status(&self) -> Result<ChassisStatus, IpmiError> {
        self.command(&GetChassisStatus).await
    }

    /// Makes the chassis do something; returns once it has begun.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`CompletionCode::NOT_IN_PRESENT_STATE`] for a reset of a machine that is off.
    pub async fn chassis_control(&self, action: ChassisAction) -> Result<(), IpmiError> {
        self.command(&ChassisControl::new(action)).await
    }

    /// The boot flags.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn boot_flags(&self) -> Result<BootFlags, IpmiError> {
        match self.boot_option(BootOption::FLAGS).await? {
            BootParameter::Flags(flags) => Ok(flags),
            other => Err(IpmiError::Protocol(CodecError::Invalid {
                what: "boot option in the answer",
                value: other.option().number().into(),
            })),
        }
    }

    /// Any boot option.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`CompletionCode::PARAMETER_NOT_SUPPORTED`].
    pub async fn boot_option(&self, option: BootOption) -> Result<BootParameter, IpmiError> {
        self.command(&GetBootOptions::new(option)).await
    }

    /// Sets any boot option.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); [`CompletionCode::PARAMETER_NOT_SUPPORTED`].
    pub async fn set_boot_option(&self, parameter: BootParameter) -> Result<(), IpmiError> {
        self.command(&SetBootOptions::new(parameter)).await
    }

    /// Sets the boot flags under the lock that IPMI provides, and clears the note that an initiator has taken them.
    ///
    /// BMCs without that lock are served as well, and those in which it was left locked.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), IpmiError> {
        let progress = |state| self.set_boot_option(BootParameter::SetInProgress(state));
        optional(progress(SetInProgress::InProgress).await)?;
        let note = BootParameter::InfoAck {
            mask: 0x01,
            data: 0x01,
        };
        optional(self.set_boot_option(note).await)?;
        let set = self.set_boot_option(BootParameter::Flags(flags)).await;
        let done = optional(progress(SetInProgress::Complete).await);
        set.and(done)
    }

    /// Who the BMC is.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn device_id(&self) -> Result<DeviceId, IpmiError> {
        self.command(&GetDeviceId).await
    }

    /// The machine's GUID.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn system_guid(&self) -> Result<Guid, IpmiError> {
        self.command(&GetSystemGuid).await
    }

    /// Carries out a typed command.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and [`IpmiError::Protocol`] where the answer is malformed.
    pub async fn command<C: Command>(&self, command: &C) -> Result<C::Response, IpmiError> {
        let data = self.execute(Request::of(command)).await?;
        Ok(C::decode_response(&data)?)
    }

    /// Carries out any command and returns the response's data.
    ///
    /// # Errors
    /// The BMC cannot be reached, does not let the user in, or answers with a completion code other than 0.
    pub async fn execute(&self, request: Request) -> Result<Vec<u8>, IpmiError> {
        let ticket = Ticket(self.shared.tickets.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let order = Order::Submit {
            ticket,
            endpoint: Arc::clone(&self.endpoint),
            request,
            reply,
        };
        self.shared
            .orders
            .send(order)
            .map_err(|_ended| IpmiError::Closed)?;
        let mut guard = CancelOnDrop {
            shared: Some(&self.shared),
            ticket,
        };
        let result = answer.await;
        guard.shared = None;
        result.unwrap_or(Err(IpmiError::Closed))
    }
}

/// Takes a request back whose future is dropped.
#[must_use]
struct CancelOnDrop<'a> {
    shared: Option<&'a Shared>,
    ticket: Ticket,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared {
            // A task that has ended has nothing to take back.
            let _ = shared.orders.send(Order::Cancel {
                ticket: self.ticket,
            });
        }
    }
}

/// Passes over the refusals of BMCs that do not know a boot option, or find it locked.
fn optional(result: Result<(), IpmiError>) -> Result<(), IpmiError> {
    match result {
        Err(IpmiError::Completion { code, .. })
            if code != CompletionCode::INSUFFICIENT_PRIVILEGE =>
        {
            Ok(())
        }
        other => other,
    }
}
