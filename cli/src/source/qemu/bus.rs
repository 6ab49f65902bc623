//! The thread that talks D-Bus with QEMU: it attaches, answers, passes on, and attaches again.
//!
//! QEMU waits for some of its calls to be answered, with the guest standing still, so they are answered here and at
//! once, whatever the rest of the program does; what they say is passed on as it came.

use std::collections::HashMap;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use futures_core::Stream as _;
use lightbox_net::clock;
use lightbox_protocol::Time;
use lightbox_protocol::msg::input::Locks;
use tokio::sync::{mpsc, watch};
use zbus::message::{Flags, Type};
use zbus::proxy::CacheProperties;
use zbus::{Connection, Message, MessageStream, OwnedVariant, Variant};

use super::fault::Fault;
use super::hands::Call;
use super::qmp;

/// Between two tries to get a lost QEMU back.
const RETRY: Duration = Duration::from_secs(1);
/// What QEMU may take to hear the last calls.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What QEMU may take to let a listener in.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that wait for a host that does not take its picture; past them QEMU is left, and asked for all of it later.
const MOST_WAITING: usize = 256 << 20;
/// A file descriptor weighs as much as this many bytes.
const FD_WEIGHT: usize = 4 << 20;
/// Calls that wait for a QEMU that does not read them; past them it is left.
const MOST_CALLS: usize = 4_096;

/// What there is to say of QEMU.
pub(super) enum News {
    /// It is there for the `turn`th time, and its pointer and lock keys are like this.
    Up { turn: u64, absolute: bool, leds: Locks },
    /// It called the listener at this time, and has its answer.
    Called(Message, Time),
    /// The guest's pointer takes places, or distances.
    Absolute(bool),
    /// The guest's lock keys changed.
    Leds(Locks),
    /// It is gone, or was never there; it is tried again and again.
    Down(Fault),
}

/// The thread's other end. It ends when this is dropped, after it has passed on the calls that it was handed.
pub(super) struct Bus {
    news: std_mpsc::Receiver<News>,
    /// `None` once this is dropped.
    calls: Option<mpsc::Sender<Call>>,
    /// The last turn that is over.
    left: watch::Sender<u64>,
    /// The weight of news that wait.
    waiting: Arc<AtomicUsize>,
}

impl Bus {
    pub(super) fn start(socket: PathBuf) -> std::io::Result<Self> {
        let (tell, news) = std_mpsc::channel();
        let (calls, to_do) = mpsc::channel(MOST_CALLS);
        let (left, leave) = watch::channel(0);
        let waiting = Arc::new(AtomicUsize::new(0));
        let teller = Teller { to: tell, waiting: waiting.clone() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("lbx-qemu".into())
            .spawn(move || runtime.block_on(run(&socket, &teller, to_do, leave)))?;
        Ok(Self { news, calls: Some(calls), left, waiting })
    }

    /// The next news, if there are any within `wait`.
    pub(super) fn next(&self, wait: Duration) -> Option<News> {
        let news = self.news.recv_timeout(wait).ok()?;
        self.waiting.fetch_sub(weight(&news), Ordering::Relaxed);
        Some(news)
    }

    /// Hands QEMU a call. False if it does not take them.
    pub(super) fn call(&self, call: Call) -> bool {
        self.calls.as_ref().is_some_and(|calls| calls.try_send(call).is_ok())
    }

    /// Ends this turn. The next shows the whole picture again.
    pub(super) fn leave(&self, turn: u64) {
        self.left.send_replace(turn);
    }
}

impl Drop for Bus {
    /// A program that ends right after this has still let go of the guest's keys.
    fn drop(&mut self) {
        self.calls = None;
        let end = Instant::now() + LAST_WORDS;
        while self.news.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
    }
}

/// The thread's end of the news.
struct Teller {
    to: std_mpsc::Sender<News>,
    waiting: Arc<AtomicUsize>,
}

impl Teller {
    fn tell(&self, news: News) -> Result<(), Fault> {
        let weight = weight(&news);
        if self.waiting.fetch_add(weight, Ordering::Relaxed) + weight > MOST_WAITING {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            return Err(Fault::Wrong("it shows more than is taken".into()));
        }
        self.to.send(news).map_err(|_| Fault::Wrong("nobody listens".into()))
    }

    /// The end of a connection, which is always told.
    fn down(&self, fault: Fault) {
        // Without a receiver, this thread ends too.
        let _ = self.to.send(News::Down(fault));
    }
}

/// What news weigh while they wait.
fn weight(news: &News) -> usize {
    match news {
        News::Called(message, _) => 256 + message.data().len() + message.data().fds().len() * FD_WEIGHT,
        // These are told between calls, and few of them.
        News::Absolute(_) | News::Leds(_) => 256,
        News::Up { .. } | News::Down(_) => 0,
    }
}

/// Until nobody wants to call any more.
async fn run(
    socket: &Path,
    teller: &Teller,
    mut calls: mpsc::Receiver<Call>,
    mut leave: watch::Receiver<u64>,
) {
    for turn in 1.. {
        let ended = tokio::select! {
            ended = serve(socket, turn, teller, &mut calls) => ended,
            () = left(&mut leave, turn) => Ok(()),
        };
        teller.down(ended.err().unwrap_or_else(|| Fault::Wrong("it was left".into())));
        // What a person does meanwhile reaches nobody.
        let mut pause = pin!(tokio::time::sleep(RETRY));
        loop {
            tokio::select! {
                () = &mut pause => break,
                call = calls.recv() => if call.is_none() { return },
            }
        }
    }
}

/// Until QEMU is to be left in this turn.
async fn left(leave: &mut watch::Receiver<u64>, turn: u64) {
    if leave.wait_for(|left| *left >= turn).await.is_err() {
        // The other end is dropped, which `serve` sees by itself once it has passed on what it was handed.
        tokio::time::sleep(LAST_WORDS).await;
    }
}

/// Attaches, and serves until QEMU is gone, or until nobody wants it any more.
async fn serve(
    socket: &Path,
    turn: u64,
    teller: &Teller,
    calls: &mut mpsc::Receiver<Call>,
) -> Result<(), Fault> {
    let main = connect(qmp::attach(socket)?, MOST_ANSWERS).await?;
    let connection = Connection::from(&main);
    let console = Console::find(&connection).await?;
    let absolute = console.mouse.is_absolute().await?;
    let leds = locks(console.keyboard.modifiers().await?);
    teller.tell(News::Up { turn, absolute, leds })?;

    let (ours, theirs) = UnixStream::pair()?;
    let listen = async {
        let listener = connect(ours, 2).await?;
        listen(listener, teller).await
    };
    let act = async {
        let fd = zbus::Fd::from(std::os::fd::OwnedFd::from(theirs));
        within_patience(async { Ok(console.display.register_listener(fd).await?) }).await?;
        while let Some(call) = calls.recv().await {
            console.act(call).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = listen => ended,
        ended = watch(main, teller) => ended,
        ended = act => ended,
    }
}

/// A connection over `stream`, as the one that is let in: QEMU is the server of each. At most `queue` messages wait
/// in it.
async fn connect(stream: UnixStream, queue: usize) -> Result<MessageStream, Fault> {
    let queue = NonZeroUsize::new(queue).unwrap_or(NonZeroUsize::MIN);
    let connection = zbus::connection::Builder::unix_stream(stream).p2p();
    let connection = connection.max_queued(queue).method_timeout(PATIENCE);
    within_patience(async { Ok(connection.build_message_stream().await?) }).await
}

async fn within_patience<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = |_| Fault::Wrong("QEMU does not answer on its D-Bus".into());
    tokio::time::timeout(PATIENCE, work).await.map_err(late)?
}

/// The objects of the console that is shown.
struct Console<'a> {
    display: DisplayProxy<'a>,
    keyboard: KeyboardProxy<'a>,
    mouse: MouseProxy<'a>,
}

impl Console<'_> {
    /// The first that shows graphics, as the guest's first display adapter does.
    async fn find(connection: &Connection) -> Result<Self, Fault> {
        let vm = VmProxy::builder(connection).cache_properties(CacheProperties::No).build().await?;
        for id in vm.console_ids().await?.into_iter().take(MOST_CONSOLES) {
            let console = Self::new(connection, format!("/org/qemu/Display1/Console_{id}")).await?;
            if console.display.kind().await? == "Graphic" {
                return Ok(console);
            }
        }
        Err(Fault::Wrong("its guest has no display adapter: add -device virtio-vga".into()))
    }

    async fn new(connection: &Connection, path: String) -> Result<Self, Fault> {
        macro_rules! proxy {
            ($proxy:ident) => {
                $proxy::builder(connection)
                    .path(path.clone())
                    .cache_properties(CacheProperties::No)
                    .build()
                    .await?
            };
        }
        Ok(Self { display: proxy!(DisplayProxy), keyboard: proxy!(KeyboardProxy), mouse: proxy!(MouseProxy) })
    }

    async fn act(&self, call: Call) -> zbus::Result<()> {
        match call {
            Call::Key { number, pressed: true } => self.keyboard.press(number.into()).await,
            Call::Key { number, pressed: false } => self.keyboard.release(number.into()).await,
            Call::Button { button, pressed: true } => self.mouse.press(button).await,
            Call::Button { button, pressed: false } => self.mouse.release(button).await,
            Call::Point { x, y } => self.mouse.set_abs_position(x, y).await,
            Call::Move { dx, dy } => self.mouse.rel_motion(dx, dy).await,
            // How large a pixel is, nobody has said.
            Call::Size(size) => self.display.set_ui_info(0, 0, 0, 0, size.w, size.h).await,
        }
    }
}

/// Answers QEMU's calls of the listener and passes them on, until it closes the connection.
async fn listen(mut stream: MessageStream, teller: &Teller) -> Result<(), Fault> {
    let connection = Connection::from(&stream);
    loop {
        let message = next(&mut stream).await?;
        if message.message_type() == Type::MethodCall {
            let at = clock::now();
            answer(&connection, &message).await?;
            teller.tell(News::Called(message, at))?;
        }
    }
}

async fn answer(connection: &Connection, message: &Message) -> Result<(), Fault> {
    if message.primary_header().flags().contains(Flags::NO_REPLY_EXPECTED) {
        return Ok(());
    }
    let header = message.header();
    let name = |part: Option<&str>| part.unwrap_or_default().to_owned();
    let interface = name(header.interface().map(|name| name.as_str()));
    let member = name(header.member().map(|name| name.as_str()));
    let interfaces = Variant::from(&[MAP][..]);
    let answered = match (&interface[..], &member[..]) {
        (PROPERTIES, "Get") => connection.reply(&header, &interfaces).await,
        (PROPERTIES, "GetAll") => {
            connection.reply(&header, &HashMap::from([("Interfaces", interfaces)])).await
        }
        (LISTENER, "Scanout" | "Update" | "Disable" | "MouseSet" | "CursorDefine")
        | (MAP, "ScanoutMap" | "UpdateMap")
        | ("org.freedesktop.DBus.Peer", "Ping") => connection.reply(&header, &()).await,
        _ => {
            let error = "org.freedesktop.DBus.Error.NotSupported";
            connection.reply_error(&header, error, &"Lightbox does not take this").await
        }
    };
    Ok(answered?)
}

/// Follows what QEMU tells of its keyboard and mouse.
async fn watch(mut main: MessageStream, teller: &Teller) -> Result<(), Fault> {
    loop {
        let message = next(&mut main).await?;
        let header = message.header();
        let is_change = message.message_type() == Type::Signal
            && header.member().is_some_and(|name| name.as_str() == "PropertiesChanged");
        if !is_change {
            continue;
        }
        let body = message.body();
        let (_, changed, _): (&str, HashMap<&str, OwnedVariant>, Vec<&str>) = body.deserialize()?;
        let value = |name| changed.get(name).map(|value| &**value);
        if let Some(Variant::Bool(absolute)) = value("IsAbsolute") {
            teller.tell(News::Absolute(*absolute))?;
        }
        if let Some(Variant::U32(modifiers)) = value("Modifiers") {
            teller.tell(News::Leds(locks(*modifiers)))?;
        }
    }
}

async fn next(stream: &mut MessageStream) -> Result<Message, Fault> {
    let mut stream = pin!(stream);
    match poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        Some(message) => Ok(message?),
        None => Err(Fault::Wrong("QEMU closed the connection".into())),
    }
}

/// QEMU's word for the lock keys.
fn locks(modifiers: u32) -> Locks {
    Locks { scroll: modifiers & 1 != 0, num: modifiers & 2 != 0, caps: modifiers & 4 != 0 }
}

pub(super) const LISTENER: &str = "org.qemu.Display1.Listener";
pub(super) const MAP: &str = "org.qemu.Display1.Listener.Unix.Map";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Consoles that are looked at.
const MOST_CONSOLES: usize = 16;
/// Answers that come before anybody reads what QEMU tells beside them: some of each console.
const MOST_ANSWERS: usize = 4 * MOST_CONSOLES;

#[zbus::proxy(
    interface = "org.qemu.Display1.VM",
    default_service = "org.qemu",
    default_path = "/org/qemu/Display1/VM"
)]
trait Vm {
    #[zbus(property, name = "ConsoleIDs")]
    fn console_ids(&self) -> zbus::Result<Vec<u32>>;
}

#[zbus::proxy(interface = "org.qemu.Display1.Console", default_service = "org.qemu")]
trait Display {
    #[zbus(property, name = "Type")]
    fn kind(&self) -> zbus::Result<String>;
    fn register_listener(&self, listener: zbus::Fd<'_>) -> zbus::Result<()>;
    #[zbus(no_reply, name = "SetUIInfo")]
    fn set_ui_info(&self, w_mm: u16, h_mm: u16, x: i32, y: i32, w: u32, h: u32) -> zbus::Result<()>;
}

#[zbus::proxy(interface = "org.qemu.Display1.Keyboard", default_service = "org.qemu")]
trait Keyboard {
    #[zbus(property)]
    fn modifiers(&self) -> zbus::Result<u32>;
    #[zbus(no_reply)]
    fn press(&self, number: u32) -> zbus::Result<()>;
    #[zbus(no_reply)]
    fn release(&self, number: u32) -> zbus::Result<()>;
}

#[zbus::proxy(interface = "org.qemu.Display1.Mouse", default_service = "org.qemu")]
trait Mouse {
    #[zbus(property)]
    fn is_absolute(&self) -> zbus::Result<bool>;
    #[zbus(no_reply)]
    fn press(&self, button: u32) -> zbus::Result<()>;
    #[zbus(no_reply)]
    fn release(&self, button: u32) -> zbus::Result<()>;
    #[zbus(no_reply)]
    fn set_abs_position(&self, x: u32, y: u32) -> zbus::Result<()>;
    #[zbus(no_reply)]
    fn rel_motion(&self, dx: i32, dy: i32) -> zbus::Result<()>;
}
