//! A QEMU that a test plays: its QMP socket, its D-Bus, and what it hears.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{BufRead, BufReader, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use futures_core::Stream as _;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use zbus::message::Type;
use zbus::{Connection, DynamicType, Message, MessageStream, Variant};

/// Far more than anything here takes; only a failure waits for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One that lets programs in one after the other. What it is called with is told by [`Self::hears`].
pub(crate) struct Peer {
    socket: PathBuf,
    handle: tokio::runtime::Handle,
    links: Receiver<Link>,
    heard: Receiver<String>,
}

/// A program's connection: what it calls QEMU by, and what QEMU calls it by.
pub(crate) struct Link {
    pub(crate) main: Connection,
    pub(crate) listener: Connection,
}

impl Peer {
    pub(crate) fn start(name: &str) -> Self {
        let socket = socket(name);
        let listener = UnixListener::bind(&socket).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (tell, links) = channel();
        let (hear, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let bus = let_in(stream.unwrap());
                // Whoever goes ends its turn; an end of the test ends the thread.
                if runtime.block_on(serve(bus, &tell, &hear)).is_none() {
                    return;
                }
            }
        });
        Self { socket, handle, links, heard }
    }

    pub(crate) fn socket(&self) -> &str {
        self.socket.to_str().unwrap()
    }

    /// The next program that registered a listener.
    pub(crate) fn link(&self) -> Link {
        self.links.recv_timeout(PATIENCE).expect("nobody registered a listener")
    }

    /// The same, if there is one by now.
    pub(crate) fn link_now(&self) -> Option<Link> {
        self.links.try_recv().ok()
    }

    /// Calls the listener and waits for its answer.
    pub(crate) fn call<B>(
        &self,
        link: &Link,
        interface: &str,
        member: &str,
        body: &B,
    ) -> zbus::Result<Message>
    where
        B: serde::Serialize + DynamicType,
    {
        let path = "/org/qemu/Display1/Listener";
        self.handle.block_on(link.listener.call_method(None::<&str>, path, Some(interface), member, body))
    }

    /// Tells of a property's new value.
    pub(crate) fn changes(&self, link: &Link, interface: &str, name: &str, value: Variant<'_>) {
        let body = (interface, HashMap::from([(name, value)]), Vec::<&str>::new());
        let (path, properties) = ("/org/qemu/Display1/Console_0", "org.freedesktop.DBus.Properties");
        let sent = link.main.emit_signal(None::<&str>, path, properties, "PropertiesChanged", &body);
        self.handle.block_on(sent).unwrap();
    }

    /// Waits for exactly this call.
    pub(crate) fn hears(&self, call: &str) {
        assert_eq!(self.heard.recv_timeout(PATIENCE).expect("it called nothing"), call);
    }

    /// Ends the connection, as a QEMU does that is killed.
    pub(crate) fn dies(&self, link: Link) {
        self.handle.block_on(async {
            link.listener.close().await.unwrap();
            link.main.close().await.unwrap();
        });
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// A path for a socket, which has little room.
pub(crate) fn socket(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lightbox-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Speaks QMP until a D-Bus is asked for, and gives its socket.
fn let_in(mut stream: UnixStream) -> UnixStream {
    let greeting = r#"{"QMP": {"version": {}, "capabilities": []}}"#;
    writeln!(stream, "{greeting}").unwrap();
    let mut bus = None;
    loop {
        let mut bytes = [0; 1024];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let got = rustix::net::recvmsg(
            &stream,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut along,
            RecvFlags::CMSG_CLOEXEC,
        );
        let got = got.unwrap().bytes;
        for message in along.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                bus = bus.or(fds.last());
            }
        }
        let command: serde_json::Value = serde_json::from_slice(&bytes[..got]).unwrap();
        // Events come whenever they like.
        writeln!(stream, "{{\"event\": \"NOTHING\"}}\n{{\"return\": {{}}}}").unwrap();
        if command["execute"] == "add_client" {
            assert_eq!(command["arguments"]["protocol"], "@dbus-display");
            return bus.expect("getfd comes before").into();
        }
    }
}

/// Answers a program until it goes. `None` if the test is over.
async fn serve(bus: UnixStream, links: &Sender<Link>, heard: &Sender<String>) -> Option<()> {
    let mut main = connect(bus).await?;
    let connection = Connection::from(&main);
    while let Some(Ok(call)) = poll_fn(|cx| Pin::new(&mut main).poll_next(cx)).await {
        if call.message_type() != Type::MethodCall {
            continue;
        }
        let header = call.header();
        let member = header.member()?.as_str();
        match member {
            "Get" => {
                let (_, name): (String, String) = call.body().deserialize().unwrap();
                let value = match &name[..] {
                    "ConsoleIDs" => Variant::from(vec![0u32]),
                    "Type" => Variant::from("Graphic"),
                    "Modifiers" => Variant::from(2u32),
                    "IsAbsolute" => Variant::from(true),
                    _ => panic!("{name} is asked for"),
                };
                connection.reply(&header, &value).await.ok()?;
            }
            "RegisterListener" => {
                let body = call.body();
                let fd: zbus::Fd<'_> = body.deserialize().unwrap();
                let fd = std::os::fd::AsFd::as_fd(&fd).try_clone_to_owned().unwrap();
                connection.reply(&header, &()).await.ok()?;
                let listener = Connection::from(connect(fd.into()).await?);
                links.send(Link { main: connection.clone(), listener }).ok()?;
            }
            _ => heard.send(format!("{member}{}", arguments(&call))).ok()?,
        }
    }
    Some(())
}

/// A connection that `stream`'s other end is let into.
async fn connect(stream: UnixStream) -> Option<MessageStream> {
    let guid = zbus::Guid::generate();
    zbus::connection::Builder::unix_stream(stream).server(guid).p2p().build_message_stream().await.ok()
}

fn arguments(call: &Message) -> String {
    let body = call.body();
    match body.signature().to_string().trim_matches(['(', ')']) {
        "u" => format!("({})", body.deserialize::<u32>().unwrap()),
        "uu" => format!("{:?}", body.deserialize::<(u32, u32)>().unwrap()),
        "ii" => format!("{:?}", body.deserialize::<(i32, i32)>().unwrap()),
        "qqiiuu" => format!("{:?}", body.deserialize::<(u16, u16, i32, i32, u32, u32)>().unwrap()),
        other => panic!("{call:?} has arguments {other}"),
    }
}

/// A program at `socket` that says these lines, each when it has heard one, the first unasked.
pub(crate) fn says(name: &str, lines: &'static [&'static str]) -> PathBuf {
    let socket = socket(name);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = BufReader::new(stream.try_clone().unwrap());
        for line in lines {
            writeln!(stream, "{line}").unwrap();
            if heard.read_line(&mut String::new()).unwrap_or(0) == 0 {
                return;
            }
        }
    });
    socket
}
