//! The tile states drawn thinly over a picture.

use lightbox_client::{Client, TileState};
use lightbox_codec::geom::{Rect, TileGrid};
use lightbox_codec::pixel::Image;

/// Frames each tile of `image`, which shows `surface`, in the colour of its state: green verified, yellow exact,
/// orange painted or refining, gray stale, red dirty.
pub fn draw(client: &Client, surface: u32, image: &mut Image) {
    let grid = TileGrid::new(image.size());
    for tile in 0..grid.len() {
        let colour = match client.tile_state(surface, tile) {
            TileState::Verified => [60, 200, 60, 0xFF],
            TileState::Exact => [0, 220, 240, 0xFF],
            TileState::Painted | TileState::Refining => [0, 140, 255, 0xFF],
            TileState::Stale => [128, 128, 128, 0xFF],
            TileState::Dirty => [40, 40, 230, 0xFF],
        };
        let r = grid.rect(tile);
        for edge in [Rect::new(r.x, r.y, r.w, 1), Rect::new(r.x, r.y, 1, r.h)] {
            image.as_mut().fill(edge, colour);
        }
    }
}
