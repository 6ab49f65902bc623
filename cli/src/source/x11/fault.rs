use std::fmt;

use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};

/// Why talking to the X server failed.
pub(super) enum Fault {
    /// It is gone, or has closed the connection.
    Gone,
    /// It said no; in words.
    Refused(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Gone => f.write_str("it closed the connection"),
            Fault::Refused(why) => f.write_str(why),
        }
    }
}

impl From<ConnectionError> for Fault {
    fn from(e: ConnectionError) -> Self {
        match e {
            ConnectionError::IoError(_) | ConnectionError::UnknownError => Fault::Gone,
            other => Fault::Refused(other.to_string()),
        }
    }
}

impl From<ReplyError> for Fault {
    fn from(e: ReplyError) -> Self {
        match e {
            ReplyError::ConnectionError(e) => e.into(),
            ReplyError::X11Error(e) => {
                let request = e.request_name.unwrap_or("a request");
                Fault::Refused(format!("{request} failed with {:?}", e.error_kind))
            }
        }
    }
}

impl From<ReplyOrIdError> for Fault {
    fn from(e: ReplyOrIdError) -> Self {
        match e {
            ReplyOrIdError::IdsExhausted => Fault::Refused("it has no more resource ids".into()),
            ReplyOrIdError::ConnectionError(e) => e.into(),
            ReplyOrIdError::X11Error(e) => ReplyError::X11Error(e).into(),
        }
    }
}
