//! Runs other programs: what they print stays visible, and one that hangs is ended together with all it started.

use std::collections::BTreeMap;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};

/// Runs a command to its end, its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|source| missing(command, source))?;
    succeeded(command, status)
}

/// Runs a command that may hang: past `minutes` it and its descendants are killed.
///
/// The descendants are found through `/proc` and not by a process group of their own, so that Ctrl-C in a terminal
/// still reaches all of them.
pub(crate) fn run_within(minutes: u64, command: &mut Command) -> Result<()> {
    let mut child = command.spawn().map_err(|source| missing(command, source))?;
    let pid = child.id();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait()));
    match end.recv_timeout(Duration::from_secs(60 * minutes)) {
        Ok(status) => succeeded(command, status.map_err(|source| missing(command, source))?),
        Err(_) => {
            kill_tree(pid);
            Err(Error::Hangs { command: line(command), minutes })
        }
    }
}

/// Runs a command for its standard output; its standard error stays visible.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, .. } =
        command.stderr(Stdio::inherit()).output().map_err(|source| missing(command, source))?;
    succeeded(command, status)?;
    String::from_utf8(stdout)
        .map_err(|error| Error::Output { command: line(command), what: error.to_string() })
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() { Ok(()) } else { Err(Error::Failed { command: line(command), status }) }
}

fn missing(command: &Command, source: std::io::Error) -> Error {
    let tool = command.get_program().to_string_lossy().into_owned();
    Error::Missing { tool, source, advice: "`./x test` installs what the checks need" }
}

/// Kills a process and all that descends from it. Each is stopped before its children are looked for, so that none
/// starts another behind our back.
fn kill_tree(root: u32) {
    let mut found = vec![root];
    let mut doomed = Vec::new();
    while !found.is_empty() {
        found.iter().for_each(|&pid| signal(pid, Signal::STOP));
        doomed.append(&mut found);
        let children =
            parents().into_iter().filter(|(_, parent)| doomed.contains(parent)).map(|(child, _)| child);
        found = children.filter(|child| !doomed.contains(child)).collect();
    }
    doomed.into_iter().for_each(|pid| signal(pid, Signal::KILL));
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = pid.try_into().ok().and_then(Pid::from_raw) {
        // A process that has ended meanwhile needs no signal.
        let _ = kill_process(pid, signal);
    }
}

/// Each running process and its parent.
fn parents() -> BTreeMap<u32, u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, parent_in(&stat)?))
    })
    .collect()
}

/// The fourth field of `/proc/PID/stat`; the second, the program's name, may itself hold blanks and parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read};

    use super::*;

    #[test]
    fn the_parent_is_found_behind_a_name_with_parentheses() {
        assert_eq!(parent_in("7 (a) b) c) S 41 7 7 0"), Some(41));
        assert_eq!(parent_in("cut short"), None);
    }

    #[test]
    fn a_hanging_command_is_killed_with_its_children() {
        let mut hanging = Command::new("sh");
        hanging.args(["-c", "sleep 3600 & echo ready; wait"]).stdout(Stdio::piped());
        let mut shell = hanging.spawn().expect("a shell");
        let mut output = BufReader::new(shell.stdout.take().expect("its output is piped"));
        let mut word = String::new();
        output.read_line(&mut word).expect("the shell speaks once its child runs");
        kill_tree(shell.id());
        // Shell and child both hold the pipe: it ends only when both are gone.
        assert_eq!(output.read_to_string(&mut word).expect("an end"), 0);
        assert!(!shell.wait().expect("a status").success());
    }
}
