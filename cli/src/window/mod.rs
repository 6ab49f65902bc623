//! `lightbox view` in windows: one for each output, pixel for pixel.
//!
//! Whatever is decoded is presented at once, without waiting for the next turn of anything. The picture is never
//! scaled: a window that is too small cuts it, and one that is too large shows black around it. The cursor is the
//! window system's own, so it moves without a round trip and is never part of the picture.

#[cfg(feature = "x11")]
mod focus;
mod pane;
mod pointer;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lightbox_client::input::{Action, Place, Touch, TouchPhase};
use lightbox_client::{Client, Event, Layout, Output};
use winit::application::ApplicationHandler;
use winit::event::{ElementState, MouseScrollDelta, TouchPhase as Phase, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
#[cfg(feature = "x11")]
use winit::platform::x11::EventLoopExtX11;
use winit::window::WindowId;

use crate::Failure;
use crate::interrupt::interrupted;
use crate::view::{Options, finish};
use crate::watch::Watch;
use crate::{keymap, report};

use pane::Pane;
use pointer::Pointer;

/// The status in the titles is renewed this often.
const STATUS: Duration = Duration::from_millis(500);

/// Shows `client` until its window is closed, its time is up or its session ends.
///
/// # Errors
/// There is no display, or the session ended otherwise than by its person's wish.
pub fn run(client: Client, options: Options) -> Result<ExitCode, Failure> {
    let events = EventLoop::with_user_event()
        .build()
        .map_err(|e| format!("no window can be opened ({e}): set DISPLAY, or use --headless"))?;
    let proxy = events.create_proxy();
    // The loop may be gone by then, and with it the need to wake it.
    client.events().set_waker(move || {
        let _ = proxy.send_event(());
    });
    let mut watch = Watch::new(client);
    if let Some(path) = &options.counter_log {
        watch = watch.log_counter(path)?;
    }
    let end = options.seconds.map(|s| Instant::now() + Duration::from_secs_f64(s.clamp(0.0, 31_536_000.0)));
    let mut viewer = Viewer {
        watch,
        panes: BTreeMap::new(),
        pointer: Pointer::default(),
        #[cfg(feature = "x11")]
        focus: events.is_x11().then(focus::Focus::open).flatten(),
        end,
        next_status: Instant::now(),
        wire: (Instant::now(), 0),
        failure: None,
    };
    events.run_app(&mut viewer)?;
    match viewer.failure {
        Some(failure) => Err(failure),
        None => finish(&viewer.watch, &options),
    }
}

struct Viewer {
    watch: Watch,
    /// By output.
    panes: BTreeMap<u32, Pane>,
    pointer: Pointer,
    /// `None` where windows are not an X server's.
    #[cfg(feature = "x11")]
    focus: Option<focus::Focus>,
    end: Option<Instant>,
    next_status: Instant,
    /// When the wire was last looked at, and its bytes then.
    wire: (Instant, u64),
    failure: Option<Failure>,
}

impl Viewer {
    /// Handles everything the client has to tell.
    fn drain(&mut self, turn: &ActiveEventLoop) -> Result<(), Failure> {
        while let Some(event) = self.watch.client.events().try_next() {
            match &event {
                Event::Layout(layout) => self.arrange(turn, layout)?,
                Event::Surface(surface) => {
                    let panes = self.panes.values_mut();
                    panes.filter(|p| p.surface() == surface.id).for_each(Pane::damage_all);
                }
                Event::Updated { surface, rects, .. } => {
                    let panes = self.panes.values_mut();
                    panes.filter(|p| p.surface() == *surface).for_each(|p| p.damage(rects));
                }
                Event::CursorShape(shape) => {
                    self.pointer.take_shape(turn, shape);
                    self.panes.values().for_each(|pane| self.pointer.show_on(pane.window()));
                }
                Event::CursorAt(at) => {
                    self.pointer.set_visible(at.visible);
                    self.panes.values().for_each(|pane| self.pointer.show_on(pane.window()));
                }
                _ => (),
            }
            self.watch.handle(event)?;
        }
        for pane in self.panes.values_mut() {
            pane.present(&self.watch.client)?;
        }
        Ok(())
    }

    /// One window for each output.
    fn arrange(&mut self, turn: &ActiveEventLoop, layout: &Layout) -> Result<(), Failure> {
        self.panes.retain(|id, _| layout.outputs.iter().any(|output| output.id == *id));
        for output in &layout.outputs {
            match self.panes.get_mut(&output.id) {
                Some(pane) => pane.follow(output),
                None => {
                    let pane = Pane::open(turn, output)?;
                    self.pointer.show_on(pane.window());
                    self.panes.insert(output.id, pane);
                }
            }
        }
        Ok(())
    }

    fn window_event(&mut self, id: WindowId, event: WindowEvent) -> Result<bool, Failure> {
        let Some((output, pane)) = self.panes.iter_mut().find(|(_, pane)| pane.window().id() == id) else {
            return Ok(false);
        };
        let client = &self.watch.client;
        let place = |x: f64, y: f64| {
            let size = pane.size();
            let within = |v: f64, side: u32| (v.max(0.0) as u32).min(side.saturating_sub(1));
            Place { output: *output, x: within(x, size.w), y: within(y, size.h) }
        };
        match event {
            WindowEvent::CloseRequested => return Ok(true),
            WindowEvent::RedrawRequested => {
                pane.damage_all();
                pane.present(client)?;
            }
            WindowEvent::Resized(size) => {
                pane.damage_all();
                if let Some(wanted) = pane.resized(size.width, size.height) {
                    let outputs = vec![Output { size: wanted, ..*pane.output() }];
                    client.want_layout(Layout { outputs });
                }
                pane.present(client)?;
            }
            #[cfg(feature = "x11")]
            WindowEvent::CursorEntered { .. } => {
                self.focus.iter().for_each(|focus| focus.entered(pane.window()));
            }
            WindowEvent::Focused(false) => client.unfocus(),
            WindowEvent::KeyboardInput { event, .. } if !event.repeat => {
                if let Some(code) = keymap::from_winit(event.physical_key) {
                    let pressed = event.state == ElementState::Pressed;
                    client.input(Action::Key { code, pressed });
                }
            }
            WindowEvent::CursorMoved { position, .. } => {
                let at = place(position.x, position.y);
                self.pointer.at = Some(at);
                client.input(Action::Pointer(at));
            }
            WindowEvent::MouseInput { state, button, .. } => {
                if let Some(code) = pointer::button(button) {
                    let pressed = state == ElementState::Pressed;
                    client.input(Action::Button { code, pressed, at: self.pointer.at });
                }
            }
            WindowEvent::MouseWheel { delta, .. } => {
                // A notch is 120; touch pads speak in pixels, of which about 15 are a line.
                let (x, y) = match delta {
                    MouseScrollDelta::LineDelta(x, y) => (f64::from(x) * 120.0, f64::from(y) * 120.0),
                    MouseScrollDelta::PixelDelta(by) => (by.x * 8.0, by.y * 8.0),
                };
                client.input(Action::Wheel { dx: -x.round() as i32, dy: -y.round() as i32 });
            }
            WindowEvent::Touch(touch) => client.input(Action::Touch(Touch {
                id: touch.id as u8,
                phase: match touch.phase {
                    Phase::Started => TouchPhase::Down,
                    Phase::Moved => TouchPhase::Move,
                    Phase::Ended => TouchPhase::Up,
                    Phase::Cancelled => TouchPhase::Cancel,
                },
                at: place(touch.location.x, touch.location.y),
                pressure: touch.force.map_or(0, |f| (f.normalized().clamp(0.0, 1.0) * 65_535.0) as u16),
            })),
            _ => (),
        }
        Ok(false)
    }

    fn status(&mut self) {
        let (stats, counts) = (self.watch.client.stats(), self.watch.client.counts());
        let (then, before) = std::mem::replace(&mut self.wire, (Instant::now(), stats.wire_bytes));
        let seconds = then.elapsed().as_secs_f64().max(0.001);
        let mbit = stats.wire_bytes.saturating_sub(before) as f64 * 8e-6 / seconds;
        let latency = self.watch.latencies.percentile(50.0).map_or("-".into(), |ms| format!("{ms:.1} ms"));
        let state = match counts {
            _ if !self.watch.is_connected() => "no connection".into(),
            _ if !stats.lease_lives => "STALE".into(),
            all if all.all_verified() => "verified exact".into(),
            some if some.refining > 0 => format!("refining, error <= {}", some.max_error),
            _ => String::from("not verified"),
        };
        let sent = report::bytes_text(stats.wire_bytes);
        for (id, pane) in &self.panes {
            let cut = if pane.is_cut() { " - cut by its window" } else { "" };
            let verified = format!("{}/{} tiles", counts.verified, counts.total);
            pane.window().set_title(&format!(
                "Lightbox, output {id}: {state}, {verified}{cut} - {latency} - {mbit:.1} Mbit/s - {sent}"
            ));
        }
    }
}

impl ApplicationHandler<()> for Viewer {
    fn resumed(&mut self, _: &ActiveEventLoop) {}

    fn user_event(&mut self, turn: &ActiveEventLoop, (): ()) {
        self.failure = self.failure.take().or(self.drain(turn).err());
    }

    fn window_event(&mut self, turn: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        match self.window_event(id, event) {
            Ok(true) => turn.exit(),
            Ok(false) => (),
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn about_to_wait(&mut self, turn: &ActiveEventLoop) {
        // Events that came before the waker was set are not announced.
        self.failure = self.failure.take().or(self.drain(turn).err());
        let now = Instant::now();
        if now >= self.next_status {
            self.next_status = now + STATUS;
            self.status();
        }
        let over = self.end.is_some_and(|end| now >= end) || interrupted();
        if over || self.failure.is_some() || self.watch.ended.is_some() {
            return turn.exit();
        }
        let wake = self.end.map_or(self.next_status, |end| end.min(self.next_status));
        turn.set_control_flow(ControlFlow::WaitUntil(wake));
    }
}
