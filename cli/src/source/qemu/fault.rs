/// Why there is no more to be had of a QEMU.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{}", one_line(&.0.to_string()))]
    Bus(#[from] zbus::Error),
    #[error("{0}")]
    Wrong(String),
}

/// What QEMU says goes to a terminal.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_LINE).collect()
}

const LONGEST_LINE: usize = 300;
