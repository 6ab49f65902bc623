//! Writes slices of the computed tomography of nobody as raw samples, for viewers that are recorded
//! (`benches/recordings/record.sh`): 16 bits, little endian, 512x512, one slice after another.
//!
//! ```sh
//! cargo run --release -p lightbox-cli --example phantom_raw -- ct.raw 40
//! ```

use std::io::Write;

use lightbox_cli::source::phantom::Ct;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("give the file to write, and how many slices")?;
    let count = arguments.next().ok_or("say how many slices")?.parse()?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut body = Ct::new(3, count);
    for i in 0..count {
        let samples: Vec<u8> = body.slice(i).iter().flat_map(|sample| sample.to_le_bytes()).collect();
        file.write_all(&samples)?;
    }
    Ok(file.flush()?)
}
