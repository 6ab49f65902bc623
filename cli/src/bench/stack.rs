//! What it costs to look at the same images again: a stack is scrolled there, back, and there again.

use std::path::PathBuf;
use std::process::ExitCode;

use lightbox_client::paint::Canvas;
use lightbox_codec::geom::{Size, TileGrid};
use lightbox_codec::pixel::{Image, PixelFormat, SampleDepth};
use lightbox_codec::screen::packed::CELL;
use lightbox_protocol::Time;
use lightbox_protocol::channel::display::{Agreed, Begin, ClientDisplay, Next, Passes, ServerDisplay};
use lightbox_protocol::digest::DigestContext;
use lightbox_protocol::msg::control::{Capabilities, Surface};
use lightbox_protocol::msg::display::Terms;
use lightbox_server::encode::{Keep, Pool, View};
use serde_json::json;

use super::picture_at;
use crate::picture::Still;
use crate::report::techniques_json;
use crate::source::phantom::Ct;
use crate::{Failure, usage};

/// Options of `lightbox bench stack`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Images of one size and format, in the order of the stack; without any, a phantom of 12 bits that the program
    /// draws.
    pub files: Vec<PathBuf>,
    /// The client's memory for tiles to be shown again, in MiB.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(0..=65_536))]
    pub slots: u64,
    /// Bytes of a frame, at the most: one frame an image where it is large.
    #[arg(long, default_value_t = 4 << 20)]
    pub budget: usize,
}

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut stack = Vec::new();
    for file in &options.files {
        stack.push(picture_at(file)?);
    }
    if stack.is_empty() {
        stack = phantom()?;
    }
    let (exact, line) = measure(&stack, options)?;
    println!("{line}");
    Ok(if exact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Slices of the phantom, one millimetre apart.
fn phantom() -> Result<Vec<Still>, Failure> {
    let depth = SampleDepth::new(12).ok_or("12 bits are no depth")?;
    let (size, format) = (Size::new(Ct::SIDE, Ct::SIDE), PixelFormat::Gray16(depth));
    let mut body = Ct::new(1, PHANTOM);
    let slice = |i| {
        let data = body.slice(i).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        Still { size, format, data }
    };
    Ok((0..PHANTOM).map(slice).collect())
}

fn measure(stack: &[Still], options: &Options) -> Result<(bool, serde_json::Value), Failure> {
    let first = &stack[0];
    let (size, format) = (first.size, first.format);
    if stack.iter().any(|image| (image.size, image.format) != (size, format)) {
        return Err("the images are not of one size and format".into());
    }
    let mut ends = Ends::new(size, format, options)?;
    let mut exact = true;
    let there: Vec<usize> = (0..stack.len()).collect();
    let back: Vec<usize> = there.iter().rev().skip(1).copied().collect();
    let (mut passes, mut means) = (Vec::new(), Vec::new());
    for order in [&there, &back, &there[1..].to_vec()] {
        let start = usage::own_cpu_seconds();
        let mut bytes = 0;
        for i in order {
            bytes += ends.show(&stack[*i])?;
            exact &= ends.shows(&stack[*i]);
        }
        let cpu_ms = (usage::own_cpu_seconds() - start) * 1e3 / order.len().max(1) as f64;
        means.push(bytes as f64 / order.len().max(1) as f64);
        passes.push(json!({ "images": order.len(), "bytes": bytes, "cpu_ms_an_image": cpu_ms }));
    }
    // Of the way back to the way there, an image.
    let ratio = means[1] / means[0].max(1.0);
    let line = json!({
        "images": stack.len(),
        "pixels": size.area(),
        "slots_mib": options.slots,
        "passes": passes,
        "second_to_first": ratio,
        "codecs": techniques_json(ends.canvas.used()),
        "exact": exact,
    });
    Ok((exact, line))
}

/// Both ends of a display channel that loses nothing and acknowledges at once.
struct Ends {
    server: ServerDisplay,
    view: View,
    keep: Keep,
    pool: Pool,
    client: ClientDisplay,
    canvas: Canvas,
    budget: usize,
    agreed: Agreed,
    context: DigestContext,
}

impl Ends {
    fn new(size: Size, format: PixelFormat, options: &Options) -> Result<Self, Failure> {
        let (cells, models) = ((options.slots << 20) / CELL, Capabilities::default().models as u8);
        let surface = Surface { id: 0, generation: 1, nonce: [0; 16], size, format };
        let (mut server, mut client) = (ServerDisplay::default(), ClientDisplay::new(size.area()));
        let mut canvas = Canvas::new();
        server.surface(surface);
        server.agree(cells, models);
        client.surface(Time(0), surface)?;
        client.agree(Terms { slots: cells, models, ..Terms::default() });
        canvas.surface(&surface, false)?;
        canvas.agree(cells, models);
        let view = View::new(0, &Image::new(size, format)?, Time(0));
        let (keep, pool) = (Keep::new([0; 32]), Pool::new(0));
        let (budget, agreed) = (options.budget, Agreed { connection: 1, cells, models });
        let context =
            DigestContext { nonce: surface.nonce, surface: surface.id, generation: surface.generation };
        Ok(Self { server, view, keep, pool, client, canvas, budget, agreed, context })
    }

    /// The bytes of all frames until the client shows `image`.
    fn show(&mut self, image: &Still) -> Result<usize, Failure> {
        self.view.damage(0..TileGrid::new(image.size).len(), Time(0));
        let mut bytes = 0;
        loop {
            let (acked_to, budget) = (self.server.sent_to(), self.budget);
            let begin = Begin {
                seq: acked_to + 1,
                context: self.context,
                budget,
                size: image.size,
                at: Time(0),
                carries: budget,
                passes: Passes::default(),
                acked_to,
                slots: self.agreed,
            };
            let look = |show: &mut dyn FnMut(lightbox_codec::pixel::ImageRef<'_>)| show(image.image());
            let Some(made) = self.view.frame(look, &begin, &mut self.pool, &mut self.keep) else { break };
            let frame = self.server.frame(&made.frame).ok_or("a frame that was not asked for")?;
            bytes += frame.len();
            self.client.receive(begin.seq, frame, true)?;
            while let Some(Next::Paint(paint)) = self.client.next_step()? {
                self.canvas.paint(&paint)?;
                self.client.applied(paint.frame.header.seq);
            }
        }
        Ok(bytes)
    }

    fn shows(&self, image: &Still) -> bool {
        self.canvas.get(0).is_some_and(|shown| shown.rows().eq(image.image().rows()))
    }
}

/// Slices of the phantom.
const PHANTOM: u32 = 40;

#[cfg(test)]
mod tests {
    use lightbox_codec::geom::Rect;
    use lightbox_codec::pixel::ImageMut;

    use super::*;

    #[test]
    fn what_was_seen_before_costs_a_hundredth() {
        let stack = &phantom().unwrap()[..6];
        let seen = |slots| {
            let options = Options { files: Vec::new(), slots, budget: 4 << 20 };
            let (exact, line) = measure(stack, &options).unwrap();
            assert!(exact);
            line["second_to_first"].as_f64().unwrap()
        };
        let with = seen(64);
        assert!(with < 0.01, "{with}");
        // 6 slices of 512 KiB do not fit into one: what is scrolled back to has been displaced, most of it.
        assert!(seen(1) > 0.5 && seen(0) > 0.9);
    }

    /// A page of words, typed into, and a menu that opens over it and closes.
    #[test]
    fn a_menu_that_closes_leaves_what_it_covered() {
        let (size, format) = (Size::new(640, 400), PixelFormat::Bgrx8);
        let letters = |seed: u32, rect: Rect, page: &mut Still| {
            let mut image = ImageMut::new(&mut page.data, size, 640 * 4, format).expect("a page of its size");
            for y in rect.y..rect.bottom() {
                for x in rect.x..rect.right() {
                    let letter = (x / 8 * 79 + y / 12 * 131 + seed).wrapping_mul(0x9E37_79B9);
                    let stroke = (letter ^ letter >> 15).wrapping_mul(0x85EB_CA6B) >> (x % 8 + y % 12);
                    let ink: u8 = if stroke & 1 == 1 { 0x20 } else { 0xF0 };
                    image.fill(Rect::new(x, y, 1, 1), [ink, ink, ink / 2 + seed as u8, 0xFF]);
                }
            }
        };
        let close = |slots| {
            let options = Options { files: Vec::new(), slots, budget: 4 << 20 };
            let mut ends = Ends::new(size, format, &options).unwrap();
            let mut page = Still { size, format, data: vec![0xFF; 640 * 400 * 4] };
            letters(1, size.rect(), &mut page);
            ends.show(&page).unwrap();
            for word in 0..20 {
                letters(word, Rect::new(word * 30, 200, 24, 12), &mut page);
                ends.show(&page).unwrap();
            }
            let mut open = page.clone();
            letters(99, Rect::new(100, 90, 220, 260), &mut open);
            ends.show(&open).unwrap();
            let bytes = ends.show(&page).unwrap();
            assert!(ends.shows(&page));
            bytes
        };
        let with = close(64);
        let without = close(0);
        assert!(with < 128, "closing costs {with} bytes, {without} without slots");
        assert!(without > 1_000);
    }
}
