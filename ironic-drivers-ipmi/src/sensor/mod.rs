//! What sensors are and what their readings mean, without I/O: records (SDR), conversion, names.

mod names;
mod record;
mod scale;
mod walk;

pub use names::{entity, first_word, sensor_type, unit};
pub use record::{EventControl, SensorRecord, ThresholdAccess, Thresholds};
pub use scale::{Analog, Scale};
pub use walk::{SdrSource, SdrWalk, SdrWalkError};
