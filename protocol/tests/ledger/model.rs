//! Server and client ledgers over a network that loses, reorders and breaks, beside an oracle that has the truth.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use lightbox_protocol::Time;
use lightbox_protocol::digest::{Digest, DigestContext};
use lightbox_protocol::exact::{
    Begun, ClientLedger, DueTile, ModelLedger, Registers, ServerLedger, SlotLedger, Stated, TileState,
};
use lightbox_protocol::geom::TileIndex;
use lightbox_protocol::msg::control::{TileProof, Verdict};
use proptest::prelude::*;

use crate::abstract_tiles::{
    Aside, CELLS, Kind, Passes, Picture, REGISTERS, Step, TILES, change, lawful, number, ops, paint, reads,
    slots, start, steps, surface, writes,
};

/// What happens next. Numbers pick among what there is; nothing happens where there is none.
#[derive(Clone, Debug)]
enum Happening {
    /// The source changed: the server sends a frame.
    Send(Vec<Step>),
    /// The server sends again, whole, what it holds for dirty.
    Repair,
    /// The server brings what it showed with an error nearer to the source.
    Refine,
    /// A frame that is on its way arrives and is given to the painter.
    Arrive(usize),
    /// The same, but one tile will be painted wrong without anyone noticing.
    ArriveAndBreak(usize, usize),
    /// The same, but painting will fail half way, and the client notice.
    ArriveAndFail(usize),
    /// A register is spoiled without anyone noticing.
    Spoil(u8),
    /// What is due is given to the painter to be digested, behind the frames that it has.
    Prove,
    /// The painter does the next thing that it was given.
    Work,
    /// The server takes what the client sent: proofs and failures.
    Judge,
    /// The client takes the server's verdicts.
    Hear,
    /// The connection is lost with all that is under way on it, and another resumes.
    Resume,
}

fn happening() -> impl Strategy<Value = Happening> {
    let pick = any::<usize>;
    prop_oneof![
        6 => steps().prop_map(Happening::Send),
        2 => Just(Happening::Repair),
        2 => Just(Happening::Refine),
        6 => pick().prop_map(Happening::Arrive),
        1 => (pick(), 0..TILES).prop_map(|(frame, tile)| Happening::ArriveAndBreak(frame, tile)),
        1 => pick().prop_map(Happening::ArriveAndFail),
        1 => (1..=REGISTERS).prop_map(Happening::Spoil),
        3 => Just(Happening::Prove),
        8 => Just(Happening::Work),
        3 => Just(Happening::Judge),
        3 => Just(Happening::Hear),
        1 => Just(Happening::Resume),
    ]
}

struct Flying {
    seq: u64,
    base: u64,
    steps: Vec<Step>,
    tiles: Vec<TileIndex>,
    /// It paints what the snapshot has, which no step of its own could say.
    is_of_snapshot: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Painting {
    Right,
    Wrong(usize),
    Fails,
}

/// What the client's painter is to do, in turn.
enum Job {
    Paint { frame: Flying, newer: Vec<TileIndex>, how: Painting },
    Digest(Vec<DueTile>),
}

enum FromClient {
    Stated(Stated),
    Nack(u64),
}

enum FromServer {
    Verdict(Verdict),
    /// The root of this number says nothing.
    Singly(u64),
}

struct World {
    now: Time,
    server: ServerLedger,
    /// What the server's snapshot was after each frame, by number.
    truth: Vec<Picture>,
    /// What each frame left in the tiles, by number.
    passes: Vec<Passes>,
    dirty: BTreeSet<TileIndex>,
    kept: SlotLedger,
    models: ModelLedger,
    sent_aside: Aside,
    next_slot: u64,
    /// No slot below is shown: it is not certain what the client has there.
    oldest_slot: u64,
    /// The registers of which it is certain what the client has there.
    sure: BTreeSet<u8>,
    sent_epochs: [u64; TILES],
    client: ClientLedger,
    shown: Picture,
    registers: Registers,
    aside: Aside,
    epochs: [u64; TILES],
    begun: BTreeSet<u64>,
    painted: BTreeSet<u64>,
    jobs: VecDeque<Job>,
    proofs: u64,
    flying: Vec<Flying>,
    to_server: Vec<FromClient>,
    to_client: Vec<FromServer>,
}

impl World {
    fn new() -> Self {
        Self {
            now: Time(0),
            server: ServerLedger::new(surface(1)),
            truth: vec![Picture::default()],
            passes: vec![Passes::default()],
            dirty: BTreeSet::new(),
            kept: SlotLedger::new(CELLS),
            models: ModelLedger::new(REGISTERS),
            sent_aside: Aside::default(),
            next_slot: 0,
            oldest_slot: 0,
            sure: BTreeSet::new(),
            sent_epochs: [0; TILES],
            client: ClientLedger::new(surface(1)),
            shown: Picture::default(),
            registers: Registers::default(),
            aside: Aside::default(),
            epochs: [0; TILES],
            begun: BTreeSet::new(),
            painted: BTreeSet::new(),
            jobs: VecDeque::new(),
            proofs: 0,
            flying: Vec::new(),
            to_server: Vec::new(),
            to_client: Vec::new(),
        }
    }

    fn happen(&mut self, what: Happening) {
        self.now = self.now + Duration::from_secs(1);
        match what {
            Happening::Send(steps) => self.send(steps),
            Happening::Repair => self.repair(),
            Happening::Refine => self.refine(),
            Happening::Arrive(pick) => self.arrive(pick, Painting::Right),
            Happening::ArriveAndBreak(pick, tile) => self.arrive(pick, Painting::Wrong(tile)),
            Happening::ArriveAndFail(pick) => self.arrive(pick, Painting::Fails),
            Happening::Spoil(register) => {
                self.aside.models.get_mut(&register).into_iter().for_each(|model| *model ^= 0x2000_0000);
            }
            Happening::Prove => {
                let due = self.client.take_due(self.now);
                self.jobs.extend((!due.is_empty()).then_some(Job::Digest(due)));
            }
            Happening::Work => match self.jobs.pop_front() {
                Some(Job::Paint { frame, newer, how }) => self.paint(&frame, &newer, how),
                Some(Job::Digest(due)) => self.prove(due),
                None => (),
            },
            Happening::Judge => self.judge(),
            Happening::Hear => {
                for answer in self.to_client.drain(..) {
                    match answer {
                        FromServer::Verdict(verdict) => drop(self.client.judged(&verdict)),
                        FromServer::Singly(root) => self.client.singly(self.now, root),
                    }
                }
            }
            Happening::Resume => self.resume(),
        }
    }

    fn send(&mut self, steps: Vec<Step>) {
        let seq = self.truth.len() as u64;
        let mut passes = self.passes[seq as usize - 1];
        let mut steps = lawful(steps, &mut passes, &self.dirty);
        let mut picture = self.truth[seq as usize - 1];
        number(&mut steps, &mut self.next_slot, self.oldest_slot);
        start(&mut steps, &mut self.sure);
        change(&mut picture, &mut self.sent_aside, seq, &mut steps);
        self.send_as(seq, steps, picture, passes, false);
    }

    /// Sends what the snapshot has in the dirty tiles; the picture stays.
    fn repair(&mut self) {
        let whole = |tile: &TileIndex| Step::PaintWhole(*tile as usize);
        let steps = self.dirty.iter().map(whole).collect();
        self.dirty.clear();
        self.send_snapshot(steps);
    }

    /// Sends low bits where the high ones are, and what the snapshot has where only a first pass is.
    fn refine(&mut self) {
        let next = |tile: usize| match self.server.state(tile as TileIndex) {
            TileState::Refining => Some(Step::Low(tile)),
            TileState::Painted => Some(Step::PaintWhole(tile)),
            _ => None,
        };
        self.send_snapshot((0..TILES).filter_map(next).collect());
    }

    fn send_snapshot(&mut self, steps: Vec<Step>) {
        let seq = self.truth.len();
        if !steps.is_empty() {
            let mut passes = self.passes[seq - 1];
            let steps = lawful(steps, &mut passes, &BTreeSet::new());
            self.send_as(seq as u64, steps, self.truth[seq - 1], passes, true);
        }
    }

    fn send_as(
        &mut self,
        seq: u64,
        steps: Vec<Step>,
        picture: Picture,
        passes: Passes,
        is_of_snapshot: bool,
    ) {
        let context = self.server.context();
        let reads = reads(&steps);
        let writes = writes(&steps, &passes, |tile| digest(&context, tile, seq, picture));
        let slots = slots(&steps);
        let ops = ops(&steps);
        let base = self.server.base(&reads, &writes).max(self.kept.base(&slots)).max(self.models.base(&ops));
        self.server.sent(seq, &reads, &writes);
        self.kept.sent(seq, &slots);
        self.models.sent(seq, &ops);
        self.truth.push(picture);
        self.passes.push(passes);
        let tiles: Vec<_> = writes.iter().map(|w| w.tile).collect();
        for tile in &tiles {
            self.sent_epochs[*tile as usize] = seq;
            // Lawful steps paint a dirty tile whole.
            self.dirty.remove(tile);
        }
        self.flying.push(Flying { seq, base, steps, tiles, is_of_snapshot });
    }

    /// What the client shows in these tiles is not known.
    fn lose(&mut self, tiles: Vec<TileIndex>) {
        if let Some(passes) = self.passes.last_mut() {
            tiles.iter().for_each(|tile| passes[*tile as usize] = Kind::Exact);
        }
        self.dirty.extend(tiles);
    }

    fn arrive(&mut self, pick: usize, how: Painting) {
        let is_ready = |frame: &Flying| (1..=frame.base).all(|seq| self.begun.contains(&seq));
        let ready: Vec<_> = (0..self.flying.len()).filter(|i| is_ready(&self.flying[*i])).collect();
        if ready.is_empty() {
            return;
        }
        let frame = self.flying.remove(ready[pick % ready.len()]);
        let ops = ops(&frame.steps);
        let Begun { newer, is_unfounded, .. } = self.client.begin(frame.seq, &ops);
        let has_models = self.registers.begin(frame.seq, &ops);
        self.begun.insert(frame.seq);
        let paints = frame.tiles.iter().filter(|tile| !newer.contains(tile));
        paints.for_each(|tile| self.epochs[*tile as usize] = frame.seq);
        if is_unfounded || !has_models {
            self.registers.fail(&ops);
            self.painted.insert(frame.seq);
            self.client.failed(frame.seq);
            self.to_server.push(FromClient::Nack(frame.seq));
            return;
        }
        self.jobs.push_back(Job::Paint { frame, newer, how });
    }

    fn paint(&mut self, frame: &Flying, newer: &[TileIndex], how: Painting) {
        let seq = frame.seq;
        self.painted.insert(seq);
        let paints: Vec<_> = frame.tiles.iter().copied().filter(|tile| !newer.contains(tile)).collect();
        let source = self.truth[seq as usize];
        let all_there = paint(&mut self.shown, &mut self.aside, seq, &frame.steps, &source, newer);
        let how = if all_there { how } else { Painting::Fails };
        for step in frame.steps.iter().filter(|_| frame.is_of_snapshot) {
            if let Step::PaintWhole(tile) = *step
                && paints.contains(&(tile as TileIndex))
            {
                self.shown[tile] = source[tile];
            }
        }
        match how {
            Painting::Wrong(tile) if paints.contains(&(tile as TileIndex)) => {
                self.shown[tile][0] ^= 0x8000_0000
            }
            Painting::Fails => {
                paints.iter().for_each(|tile| self.shown[*tile as usize][1] ^= 0x4000_0000);
                for step in &frame.steps {
                    if let Step::Unit { models, .. } = step {
                        self.aside.models.remove(&models.into);
                    }
                }
                self.client.failed(seq);
                self.to_server.push(FromClient::Nack(seq));
                return;
            }
            _ => (),
        }
        self.client.painted(self.now, seq, paints.into_iter());
    }

    fn prove(&mut self, due: Vec<DueTile>) {
        let surface = *self.client.surface();
        let context =
            DigestContext { nonce: surface.nonce, surface: surface.id, generation: surface.generation };
        let tiles = due
            .into_iter()
            .map(|due| TileProof {
                tile: due.tile,
                epoch: due.epoch,
                digest: digest(&context, due.tile, due.epoch, self.shown),
            })
            .collect();
        self.proofs += 1;
        let stated = self.client.state_digests(self.proofs, tiles);
        self.to_server.push(FromClient::Stated(stated));
    }

    fn judge(&mut self) {
        for message in std::mem::take(&mut self.to_server) {
            match message {
                FromClient::Stated(Stated::Root(root)) => {
                    let proof = root.id;
                    let right = Verdict { proof, mismatched: vec![], superseded: vec![] };
                    let is_right = self.server.judge_root(&root).is_some();
                    let answer =
                        if is_right { FromServer::Verdict(right) } else { FromServer::Singly(proof) };
                    self.to_client.push(answer);
                }
                FromClient::Stated(Stated::Singly(proof)) => {
                    let judgement = self.server.judge(&proof);
                    if !judgement.wrong.is_empty() {
                        self.forget_aside();
                    }
                    self.lose(judgement.wrong);
                    self.to_client.push(FromServer::Verdict(judgement.verdict));
                }
                FromClient::Nack(seq) => {
                    self.forget_aside();
                    let lost = self.server.lost(seq);
                    self.lose(lost);
                }
            }
        }
    }

    fn resume(&mut self) {
        self.flying.clear();
        self.to_server.clear();
        self.to_client.clear();
        self.proofs = 0;
        let newest = self.truth.len() as u64 - 1;
        let applied = (1..=newest).take_while(|seq| self.painted.contains(seq)).last().unwrap_or(0);
        // SPEC.md 10: what failed, or is not painted yet, is not there.
        let applied_to = self.client.first_inexact().map_or(applied, |seq| applied.min(seq - 1));
        self.painted.extend(1..=newest);
        self.begun.extend(1..=newest);
        let lost = self.server.resume(surface(1), applied_to);
        self.lose(lost);
        self.client.renew(self.now, surface(1));
        // What is kept aside lasts as long as its connection.
        (self.aside, self.registers) = (Aside::default(), Registers::default());
        (self.kept, self.models) = (SlotLedger::new(CELLS), ModelLedger::new(REGISTERS));
        self.forget_aside();
    }

    /// It is not certain any more what the client keeps aside.
    fn forget_aside(&mut self) {
        self.oldest_slot = self.next_slot;
        self.sure.clear();
    }

    /// What must hold at any time.
    fn check(&self) -> Result<(), TestCaseError> {
        let (mut verified, mut refining) = (0, 0);
        for tile in 0..TILES {
            let (index, epoch) = (tile as TileIndex, self.epochs[tile]);
            let is_equal = self.shown[tile] == self.truth[epoch as usize][tile];
            if self.client.state(index) == TileState::Verified {
                verified += 1;
                prop_assert!(is_equal, "the client takes a wrong tile {tile} for verified");
            }
            match self.client.state(index) {
                TileState::Exact | TileState::Verified => {
                    let left = self.passes[epoch as usize][tile];
                    prop_assert!(
                        left == Kind::Exact,
                        "the client takes tile {tile} for exact, sent as {left:?}"
                    );
                }
                TileState::Painted | TileState::Refining => refining += 1,
                _ => (),
            }
            if self.server.state(index) == TileState::Verified && self.sent_epochs[tile] == epoch {
                prop_assert!(is_equal, "the server takes a wrong tile {tile} for verified");
            }
        }
        let counts = self.client.counts();
        prop_assert_eq!((counts.verified, counts.refining), (verified, refining));
        Ok(())
    }

    /// Nothing changes any more, nothing is lost: all must end verified.
    fn settle(&mut self) {
        let blank = (0..TILES).filter(|tile| self.sent_epochs[*tile] == 0);
        self.send(blank.map(Step::PaintWhole).collect());
        for _ in 0..8 {
            while !self.flying.is_empty() {
                self.happen(Happening::Arrive(0));
            }
            self.happen(Happening::Prove);
            while !self.jobs.is_empty() {
                self.happen(Happening::Work);
            }
            for step in [Happening::Judge, Happening::Hear, Happening::Repair, Happening::Refine] {
                self.happen(step);
            }
        }
    }
}

/// A digest without collisions: the samples themselves, and all that salts them.
fn digest(context: &DigestContext, tile: TileIndex, epoch: u64, picture: Picture) -> Digest {
    let [left, right] = picture[tile as usize];
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&left.to_le_bytes());
    bytes[4..8].copy_from_slice(&right.to_le_bytes());
    bytes[8..12].copy_from_slice(&(epoch as u32).to_le_bytes());
    bytes[12..16].copy_from_slice(&[
        tile as u8,
        context.generation as u8,
        context.nonce[0],
        context.surface as u8,
    ]);
    Digest(bytes)
}

proptest! {
    #[test]
    fn nothing_wrong_is_ever_verified_and_all_ends_verified(
        happenings in prop::collection::vec(happening(), 1..160),
    ) {
        let mut world = World::new();
        for what in happenings {
            world.happen(what);
            world.check()?;
        }
        world.settle();
        world.check()?;
        prop_assert!(world.client.counts().all_verified(), "{:?}", world.client.counts());
        prop_assert!(world.server.counts().all_verified(), "{:?}", world.server.counts());
        prop_assert_eq!(Some(&world.shown), world.truth.last());
    }
}
