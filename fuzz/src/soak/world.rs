//! The two ends, the network between them, and the weather.

use std::time::Duration;

use lightbox_protocol::Time;
use lightbox_protocol::exact::LEASE;
use lightbox_protocol::msg::display::Heartbeat;
use lightbox_protocol::session::Cause;
use lightbox_protocol::session::client::Command;
use lightbox_protocol::wire::{Decode, ids};
use lightbox_sim::rng::Rng;

use super::host::{Host, News, timed_out};
use super::line::{Line, Piece};
use super::terminal::Terminal;
use super::{Broken, Report, SETTLE};

/// A run.
pub(super) struct World {
    now: Time,
    rng: Rng,
    host: Host,
    terminal: Terminal,
    line: Option<Line>,
    plans: Plans,
    lease: LeaseModel,
    report: Report,
    last_input: i32,
    /// Steps since time went on.
    steps: u32,
}

/// When what happens next.
struct Plans {
    update: Time,
    /// Milliseconds between updates, at most.
    pace: u64,
    trouble: Time,
    release: Option<Time>,
    connect: Option<Time>,
    /// The client and the host learn that the connection is gone.
    client_lost: Option<Time>,
    host_lost: Option<Time>,
    path: Time,
    check: Time,
    /// No updates, no trouble.
    is_calm: bool,
}

/// What the heartbeats that arrived promise, reckoned from the outside.
#[derive(Default)]
struct LeaseModel {
    /// The quickest heartbeat of the connection.
    delay: Option<Duration>,
    until: Time,
    /// How old what is called verified may be.
    bound: Duration,
}

impl World {
    pub(super) fn new(seed: u64, faults: bool) -> Self {
        let mut rng = Rng::new(seed);
        let now = Time(1_000_000);
        let host = Host::new(now, rng.fork());
        let terminal = Terminal::new(rng.fork(), faults);
        let plans = Plans {
            update: now,
            pace: 20,
            trouble: now,
            release: None,
            connect: Some(now),
            client_lost: None,
            host_lost: None,
            path: now,
            check: now,
            is_calm: false,
        };
        let (lease, report) = (LeaseModel::default(), Report::default());
        Self { now, rng, host, terminal, line: None, plans, lease, report, last_input: 0, steps: 0 }
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    pub(super) fn report(&self) -> Report {
        let tally = self.host.tally;
        Report {
            updates: tally.updates,
            frames: tally.frames,
            shapes: tally.shapes,
            resumes: tally.resumes,
            faults: self.terminal.faults,
            verified: self.terminal.verified,
            compared: self.terminal.compared,
            coarse: self.terminal.coarse,
            units: self.terminal.units,
            updates_by_model: self.terminal.updates_by_model,
            virtual_time: self.now.since(Time(0)),
            ..self.report
        }
    }

    /// Some hundred updates in bad weather, but not many more than `most` since the beginning; then all comes to rest
    /// and must be equal.
    pub(super) fn round(&mut self, most: u64) -> Result<(), Broken> {
        let until = (self.host.tally.updates + 100 + self.rng.below(500)).min(most);
        self.plans.is_calm = false;
        self.terminal.faulty = self.terminal.may_be_faulty;
        self.plans.update = self.now;
        self.plans.trouble = self.now + self.random(2_000);
        while self.host.tally.updates < until {
            self.step()?;
        }
        self.settle()
    }

    fn settle(&mut self) -> Result<(), Broken> {
        self.plans.is_calm = true;
        self.terminal.faulty = false;
        self.release();
        let start = self.now;
        while let Some(what) = self.what_is_missing() {
            if self.now.since(start) > SETTLE {
                return Err(Broken::Unsettled { what });
            }
            self.step()?;
        }
        self.check()?;
        self.terminal.all_is_right();
        self.report.settled += 1;
        self.report.settle_max = self.report.settle_max.max(self.now.since(start));
        Ok(())
    }

    /// What keeps the client's picture from being the host's, proved.
    fn what_is_missing(&self) -> Option<String> {
        if !self.host.is_idle() {
            return Some("the host has something to send".into());
        }
        let (host, client) = (self.host.counts(), self.terminal.counts());
        if !host.all_verified() || !client.all_verified() {
            return Some(format!(
                "of {} tiles the host has proof of {}, the client of {} of {}",
                host.total, host.verified, client.verified, client.total
            ));
        }
        let surfaces = self.terminal.surfaces();
        if !surfaces.keys().eq(self.host.screens().keys()) {
            return Some(format!("the client has surfaces {:?}", surfaces.keys()));
        }
        let differs = |(id, screen): &(&u32, &super::host::Screen)| {
            let shown = self.terminal.canvas().get(**id);
            !shown.is_some_and(|shown| shown.rows().eq(screen.picture.as_ref().as_ref().rows()))
        };
        let different = self.host.screens().iter().find(differs);
        different.map(|(id, _)| format!("screen {id} is verified and looks different"))
    }

    /// Goes on to the next thing that happens.
    fn step(&mut self) -> Result<(), Broken> {
        let next = self.next();
        if next > self.now {
            self.now = next;
            self.steps = 0;
        }
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(Broken::Spinning);
        }
        self.follow_plans()?;
        self.deliver()?;
        self.host.step(self.now, &mut self.line)?;
        self.terminal.step(self.now, &mut self.line, &mut self.host.history)?;
        while let Some(news) = self.host.news.pop_front() {
            match news {
                News::Mismatch { surface, tiles } => self.terminal.called_wrong(surface, &tiles)?,
                News::Input(got) => {
                    let last = std::mem::replace(&mut self.last_input, got);
                    if got <= last {
                        return Err(Broken::Input { last, got });
                    }
                }
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Time {
        let p = &self.plans;
        let weather = (!p.is_calm).then_some([p.update, p.trouble]).into_iter().flatten();
        let planned = [p.release, p.connect, p.client_lost, p.host_lost].into_iter().flatten();
        let ends = [self.host.next(), self.terminal.next()].into_iter().flatten();
        let ways = self.line.iter_mut().flat_map(Line::ways).filter_map(|way| way.next());
        let all = weather.chain(planned).chain(ends).chain(ways);
        all.fold(self.plans.path.min(self.plans.check), Time::min)
    }

    fn follow_plans(&mut self) -> Result<(), Broken> {
        let now = self.now;
        if !self.plans.is_calm && self.plans.update <= now {
            self.plan_update();
        }
        if !self.plans.is_calm && self.plans.trouble <= now {
            self.trouble()?;
            self.plans.trouble = now + self.random(4_000);
        }
        if self.plans.release.is_some_and(|at| at <= now) {
            self.release();
        }
        if self.plans.client_lost.is_some_and(|at| at <= now) {
            self.plans.client_lost = None;
            let lost = Cause::Lost(timed_out());
            self.terminal.handle(now, lost, &mut self.line, &mut self.host.history)?;
            self.plans.connect = Some(now + self.random(2_000));
        }
        if self.plans.host_lost.is_some_and(|at| at <= now) {
            self.plans.host_lost = None;
            self.host.handle(now, Cause::Lost(timed_out()), &mut self.line)?;
        }
        if self.plans.connect.is_some_and(|at| at <= now) {
            self.plans.connect = None;
            self.connect()?;
        }
        if self.plans.path <= now {
            self.plans.path = now + Duration::from_millis(100);
            if let Some(path) = self.line.as_ref().map(|line| line.path(&mut self.rng)) {
                self.host.handle(now, Cause::Path(path), &mut self.line)?;
                self.terminal.handle(now, Cause::Path(path), &mut self.line, &mut self.host.history)?;
            }
        }
        if self.plans.check <= now {
            self.plans.check = now + self.random(500) + Duration::from_millis(1);
            self.check()?;
            self.terminal.turn(now, &mut self.line, &mut self.host.history)?;
        }
        Ok(())
    }

    fn plan_update(&mut self) {
        self.host.update(self.now);
        // Typing, motion, bursts, and rests in which tiles are proved.
        if self.rng.chance(0.05) {
            self.plans.pace = [1, 10, 20, 60, 300][self.rng.below(5) as usize];
        }
        let rest = if self.rng.chance(0.01) { 3_000 } else { self.plans.pace };
        self.plans.update = self.now + self.random(rest);
    }

    fn trouble(&mut self) -> Result<(), Broken> {
        let longest = if self.rng.chance(0.2) { 8_000 } else { 800 };
        let length = self.random(longest);
        let until = self.now + length;
        let pick = self.rng.below(12);
        match (pick, &mut self.line) {
            (0..3, Some(line)) => {
                let ways = line.ways().into_iter().enumerate();
                ways.filter(|(i, _)| pick == 2 || *i as u64 == pick).for_each(|(_, way)| way.hold());
                self.plans.release = Some(until);
            }
            (3..6, Some(line)) => {
                let ways = line.ways().into_iter().enumerate();
                ways.filter(|(i, _)| pick == 5 || *i as u64 == pick - 3)
                    .for_each(|(_, way)| way.partition(until));
            }
            (6..9, Some(_)) => self.kill(),
            (9.., _) => self.host.reshape(self.now, &mut self.line)?,
            _ => (),
        }
        Ok(())
    }

    /// The connection dies, with all that is under way. Each end learns of it in its own time.
    fn kill(&mut self) {
        // A client that was never welcome has nothing to resume.
        if self.plans.client_lost.is_some() || !self.terminal.is_welcome {
            return;
        }
        let Some(line) = self.line.take() else { return };
        self.report.lost.0 += 1;
        self.plans.client_lost = Some(self.now + self.random(1_000));
        if line.door.is_none() {
            self.plans.host_lost = Some(self.now + self.random(3_000));
        }
    }

    fn connect(&mut self) -> Result<(), Broken> {
        let line = Line::new(self.now, &mut self.rng);
        let binding = line.binding;
        self.line = Some(line);
        self.lease.delay = None;
        let connect = Cause::Command(Command::Connect { binding });
        self.terminal.handle(self.now, connect, &mut self.line, &mut self.host.history)
    }

    fn release(&mut self) {
        self.plans.release = None;
        let now = self.now;
        for way in self.line.iter_mut().flat_map(Line::ways) {
            way.release();
            way.partition(now);
        }
    }

    fn deliver(&mut self) -> Result<(), Broken> {
        let now = self.now;
        while let Some(line) = &mut self.line {
            let Some(piece) = line.up.take(now, &mut self.rng) else { break };
            match (&mut line.door, piece) {
                (Some(door), Piece::Control(bytes)) => {
                    if let Some(hello) = door.read(&bytes).map_err(Broken::Ended)? {
                        line.door = None;
                        self.plans.host_lost = None;
                        self.host.attach(now, hello, &mut self.line)?;
                        self.maybe_lose_welcome();
                    }
                }
                (Some(_), _) => (),
                (None, piece) => self.host.handle(now, piece.into(), &mut self.line)?,
            }
        }
        while let Some(line) = &mut self.line {
            let Some(piece) = line.down.take(now, &mut self.rng) else { break };
            if let Piece::Datagram(bytes) = &piece {
                self.lease.see(now, bytes);
            }
            self.terminal.handle(now, piece.into(), &mut self.line, &mut self.host.history)?;
        }
        Ok(())
    }

    /// The connection dies between the host's answer and its arrival.
    fn maybe_lose_welcome(&mut self) {
        if !self.plans.is_calm && self.rng.chance(0.3) {
            let before = self.report.lost.0;
            self.kill();
            self.report.lost.1 += self.report.lost.0 - before;
        }
    }

    /// Compares everything that is called verified, and its age.
    fn check(&mut self) -> Result<(), Broken> {
        let now = self.now;
        let verified = self.terminal.verified_tiles(now, &self.host.history)?;
        for ((surface, tile), epoch) in verified {
            let Some(screen) = self.host.screens().get(&surface) else { continue };
            let until = self.host.history.current_until((surface, tile), epoch, &screen.timeline, now);
            let age = now.since(until);
            if age > self.lease.bound + TURN {
                return Err(Broken::Withheld { surface, tile, age });
            }
        }
        Ok(())
    }

    /// Up to `ms` milliseconds.
    fn random(&mut self, ms: u64) -> Duration {
        Duration::from_micros(self.rng.below(ms * 1_000 + 1))
    }
}

impl LeaseModel {
    /// A datagram arrived: is it a heartbeat, and what does it promise?
    fn see(&mut self, now: Time, bytes: &[u8]) {
        if bytes.first().copied().map(u64::from) != Some(ids::datagram::HEARTBEAT) {
            return;
        }
        let Ok(beat) = Heartbeat::from_bytes(bytes) else { return };
        let sample = now.since(Time(beat.server_us));
        let delay = self.delay.map_or(sample, |quickest| quickest.min(sample));
        self.delay = Some(delay);
        let lasts = LEASE.max(Duration::from_micros(beat.rtt_us) * 4);
        let until = Time(beat.server_us.saturating_sub(beat.behind_us)) + delay + lasts;
        if until > self.until {
            (self.until, self.bound) = (until, delay + lasts);
        }
    }
}

/// A host takes this long at most from a change to the heartbeat that can tell of it, and clocks drift.
const TURN: Duration = Duration::from_millis(20);
/// More happens at no instant.
const MAX_STEPS: u32 = 1_000_000;
