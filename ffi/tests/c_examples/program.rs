//! Programs that run beside the test, and are killed if they hang.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Only a program that hangs takes as long, on any machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running program. It is killed when the test gives it up, and when its time is over.
pub struct Program {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<String>>,
    // Dropping it tells the watchdog that all is well.
    _watched: Sender<()>,
}

impl Program {
    pub fn start(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Self {
        let name = program.display().to_string();
        let mut command = Command::new(program);
        // Cargo's search path would find a library that some earlier build left, before the one that was linked.
        command.env_remove("LD_LIBRARY_PATH");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let input = child.stdin.take().expect("its input is piped");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let mut errors = child.stderr.take().expect("its errors are piped");
        let complaints = thread::spawn(move || {
            let mut text = String::new();
            // What is not UTF-8 is cut off, and the test fails for another reason.
            let _ = errors.read_to_string(&mut text);
            text
        });
        let watched = watch(child.id());
        Self { name, child, input, output, complaints: Some(complaints), _watched: watched }
    }

    /// Types a line.
    pub fn type_in(&mut self, line: &str) {
        // One that has ended does not read; its next line is missed then.
        let _ = writeln!(self.input, "{line}");
    }

    /// Passes over what it prints until there is this line.
    pub fn says(&mut self, line: &str) {
        while self.line() != line {}
    }

    /// The next line it prints, without its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it prints UTF-8");
        if line.is_empty() {
            panic!("{}", self.complaints_of("ended without a line"));
        }
        line.trim_end().to_owned()
    }

    /// Waits until it ends, as it must, with success; the rest of what it printed.
    pub fn succeeds(self) -> String {
        self.outcome().unwrap_or_else(|complaints| panic!("{complaints}"))
    }

    /// Waits until it ends; the rest of what it printed, or what it complained of.
    pub fn outcome(mut self) -> Result<String, String> {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("it prints UTF-8");
        let status = self.child.wait().expect("it can be waited for");
        if status.success() { Ok(rest) } else { Err(self.complaints_of(&status.to_string())) }
    }

    fn complaints_of(&mut self, why: &str) -> String {
        let _ = self.child.kill();
        let complaints = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        format!("{}: {why}\n{complaints}", self.name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has mostly ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kills the process when its time is over, unless what is returned was dropped before.
fn watch(pid: u32) -> Sender<()> {
    let (watched, word) = channel();
    thread::spawn(move || {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        if let (Err(RecvTimeoutError::Timeout), Some(pid)) = (word.recv_timeout(PATIENCE), pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    watched
}
