use super::malformed;
use crate::msg::control::{Close, Control, Hello, VERSION};
use crate::wire::frame::{Assembler, MAX_HELLO};
use crate::wire::ids;

/// Reads a client's first message from the first bytes of its control stream, before any session exists.
///
/// INVARIANT: it holds at most one message of the hello limit.
#[derive(Debug)]
pub struct Door {
    control: Assembler,
}

impl Door {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self { control: Assembler::new(MAX_HELLO) }
    }

    /// The next bytes of the control stream. The hello once it is whole; the reason to close where it is not one.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<Hello>, Close> {
        self.control.push(bytes);
        let Some((kind, body)) = self.control.next_message().map_err(malformed)? else { return Ok(None) };
        let Some(Control::Hello(hello)) = Control::read(kind, &body).map_err(malformed)? else {
            return Err(Close::new(ids::close::UNEXPECTED, "the first message must be a hello"));
        };
        if self.control.held() > 0 {
            return Err(Close::new(ids::close::UNEXPECTED, "nothing may follow a hello before its welcome"));
        }
        if hello.version == 0 {
            return Err(Close::new(
                ids::close::VERSION,
                format_args!("version 0 is none; this server speaks 1 to {VERSION}"),
            ));
        }
        Ok(Some(hello))
    }
}

impl Default for Door {
    fn default() -> Self {
        Self::new()
    }
}
