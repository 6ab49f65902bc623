//! Windows: an event object that stays set until it is reset.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null;

use windows_sys::Win32::System::Threading::{CreateEventW, ResetEvent, SetEvent};

/// An event object that is signalled from [`Bell::raise`] to [`Bell::lower`].
#[derive(Debug)]
pub(crate) struct Bell(OwnedHandle);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: NULL asks for the default security and for no name.
        let event = unsafe { CreateEventW(null(), 1, 0, null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else closes it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(event) }))
    }

    pub(crate) fn raise(&self) {
        // SAFETY: the handle is an event object and open. The call fails for no other.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }

    pub(crate) fn lower(&self) {
        // SAFETY: as above.
        unsafe { ResetEvent(self.0.as_raw_handle()) };
    }

    /// What C waits for. Windows uses 32 bits of a handle, so that an `int` holds it.
    pub(crate) fn number(&self) -> i32 {
        self.0.as_raw_handle() as isize as i32
    }

    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
        use windows_sys::Win32::System::Threading::WaitForSingleObject;
        // SAFETY: as above.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}
