//! A small Linux guest, and machines that run it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An emulated machine boots in ten seconds where nothing else runs; only a failure waits for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What stands before a command on the guest's screen.
pub(crate) const PROMPT: &str = "guest# ";

/// The folder with the guest's kernel and its only files.
pub(crate) struct Guest {
    folder: PathBuf,
}

impl Guest {
    /// Builds it if need be. `None` where there is no QEMU, which is said, and is a failure in CI.
    pub(crate) fn build() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest");
        match has_qemu().and_then(|()| build(&folder)) {
            Ok(()) => Some(Self { folder }),
            Err(why) => {
                assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{why}; run `./x test`");
                eprintln!("skipped: {why}; `./x test` installs what is needed");
                None
            }
        }
    }
}

fn has_qemu() -> Result<(), String> {
    let displays = Command::new(QEMU).args(["-display", "help"]).output();
    match displays {
        Err(error) => Err(format!("{QEMU} does not run ({error})")),
        Ok(said) if String::from_utf8_lossy(&said.stdout).lines().any(|line| line == "dbus") => Ok(()),
        Ok(_) => Err(format!("{QEMU} has no D-Bus display")),
    }
}

fn build(folder: &Path) -> Result<(), String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest");
    let script = sources.join("build.sh");
    let made = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let old = [&script, &sources.join("init.sh")].into_iter().filter_map(|path| made(path)).max();
    if folder.join("kernel").exists() && made(&folder.join("initrd")) > old {
        return Ok(());
    }
    let built = Command::new(&script).arg(folder).output();
    let built = built.map_err(|error| format!("{} does not run ({error})", script.display()))?;
    let said = String::from_utf8_lossy(&built.stderr);
    if built.status.success() { Ok(()) } else { Err(format!("the guest cannot be built: {}", said.trim())) }
}

/// A virtual machine that runs the guest. It ends with this value.
pub(crate) struct Machine {
    qemu: Child,
    folder: PathBuf,
}

impl Machine {
    /// Starts one with a graphics card, a keyboard, a mouse and `more`.
    pub(crate) fn start(guest: &Guest, more: &[&str]) -> Self {
        // The path of a socket has little room, and a target folder may be deep.
        let folder = std::env::temp_dir().join(format!("lightbox-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let serial = folder.join("serial");
        let _ = std::fs::remove_file(&serial);
        let mut qemu = Command::new(QEMU);
        qemu.args(["-accel", "tcg", "-M", "q35", "-m", "256", "-nodefaults", "-no-reboot"])
            .args(["-display", "dbus,p2p=yes", "-device", "virtio-vga"])
            .arg("-qmp")
            .arg(format!("unix:{},server=on,wait=off", qmp(&folder)))
            .arg("-serial")
            .arg(format!("file:{}", serial.display()))
            .arg("-kernel")
            .arg(guest.folder.join("kernel"))
            .arg("-initrd")
            .arg(guest.folder.join("initrd"))
            // A machine that is emulated on a busy one seems to have no timer.
            .args(["-append", "quiet no_timer_check console=tty1"])
            .args(more)
            .stdin(Stdio::null());
        let mut machine = Self { qemu: qemu.spawn().unwrap(), folder };
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(machine.qmp()).is_err() {
            assert!(machine.qemu.try_wait().unwrap().is_none(), "QEMU ended");
            assert!(begun.elapsed() < PATIENCE, "QEMU does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        machine
    }

    /// Its QMP socket.
    pub(crate) fn qmp(&self) -> String {
        qmp(&self.folder)
    }

    /// Waits until the guest has said a line with `words` on its serial port.
    pub(crate) fn hears(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let said = std::fs::read(self.folder.join("serial")).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            if said.lines().any(|line| line.trim() == words) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the guest never said {words:?}, but:\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.qemu.kill().unwrap();
        self.qemu.wait().unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn qmp(folder: &Path) -> String {
    folder.join("qmp").display().to_string()
}

const QEMU: &str = "qemu-system-x86_64";
