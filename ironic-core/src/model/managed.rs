use uuid::Uuid;

use super::is_valid_node_name;
use crate::Error;
use crate::runtime::Timestamp;

/// A record type that callers create, change and remove.
///
/// # Contract
/// - **Who calls.** Client and conductor, on each record that somebody wants created or changed:
///   `check` on the record as it would become, before anything is written. Nothing here does I/O,
///   and nothing is left behind by a call.
/// - **Who implements.** The engine, for its own record types.
/// - **Hostile.** What is checked comes from outside: any length, any text.
/// - **`check` is idempotent:** what it has brought into its one form passes unchanged.
/// - **`SETTABLE`** are names of members as they are on the wire; a change of any other is refused.
/// - **Lock.** A record with a `node` is written while that is held, by its conductor.
///
/// **Checked by** no suite.
///
/// ```
/// use ironic_core::Uuid;
/// use ironic_core::model::{Chassis, Managed};
///
/// let mut chassis = Chassis::new(Uuid::from_u128(7));
/// chassis.description = Some("x".repeat(10_000));
/// assert!(chassis.check().is_err(), "nobody reads that much");
/// ```
pub trait Managed: Sized {
    /// The members that a caller may change; the others are the engine's.
    const SETTABLE: &'static [&'static str];

    /// What every record has.
    fn header(&mut self) -> Header<'_>;

    /// The node that it belongs to, if to one: it is written while that node is held.
    fn node(&self) -> Option<Uuid> {
        None
    }

    /// Checks what holds for every such record, and brings fields into their one form.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] names the field at fault.
    fn check(&mut self) -> Result<(), Error>;
}

/// The members that every record has.
#[derive(Debug)]
#[non_exhaustive]
pub struct Header<'a> {
    /// Its identity.
    pub uuid: &'a mut Uuid,
    /// When it was created.
    pub created_at: &'a mut Timestamp,
    /// When it was last changed.
    pub updated_at: &'a mut Option<Timestamp>,
}

/// Implements [`Managed::header`] by fields of the usual names.
macro_rules! header {
    () => {
        fn header(&mut self) -> $crate::model::Header<'_> {
            $crate::model::Header::new(&mut self.uuid, &mut self.created_at, &mut self.updated_at)
        }
    };
}
pub(crate) use header;

impl<'a> Header<'a> {
    pub(crate) fn new(
        uuid: &'a mut Uuid,
        created_at: &'a mut Timestamp,
        updated_at: &'a mut Option<Timestamp>,
    ) -> Self {
        Self {
            uuid,
            created_at,
            updated_at,
        }
    }
}

/// Refuses a text that has more characters than the field holds.
pub(crate) fn check_length(
    what: &str,
    field: &str,
    text: Option<&str>,
    most: usize,
) -> Result<(), Error> {
    let length = text.map_or(0, |text| text.chars().count());
    if length > most {
        return Err(Error::invalid(format!(
            "{field} of a {what} has at most {most} characters, not {length}"
        )));
    }
    Ok(())
}

/// Refuses a name by which a record could not be found in a path of a URL.
pub(crate) fn check_name(what: &str, name: Option<&str>) -> Result<(), Error> {
    match name {
        Some(name) if !is_valid_node_name(name) => Err(Error::invalid(format!(
            "{name:?} is no name of a {what}: letters, digits and -._~ only, 255 at most, and no uuid"
        ))),
        _ => Ok(()),
    }
}
