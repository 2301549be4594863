//! iPXE's script language, as far as network boot of unwatched machines uses it.

mod parse;
mod session;
mod settings;

use parse::{Command, Join, Line, parse};

pub(crate) use parse::is_script;
pub(crate) use session::{Answer, Ending, FetchKind, IpxeSession, Step};
pub(crate) use settings::{Settings, Value};
