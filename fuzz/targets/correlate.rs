//! Arbitrary bytes through the join: no panic, no growth, and what is read fast is what a
//! full parse of every line reads.
#![no_main]

use correlate::{Fate, Join};
use libfuzzer_sys::fuzz_target;
use pipe::{Block, Faults, Part};
use records::{LineKind, Scanner, classify};

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(fast(bytes), in_full(bytes), "lines that leave the join");
});

/// The lines that leave the join, as correlate reads them.
fn fast(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut join = Join::new(1);
    let mut faults = Faults::new("fuzz").keeping();
    let mut out = Vec::new();
    let mut scanner = Scanner::default();
    // In two blocks: what a shape was learnt from lies in the first.
    let middle = memchr_newline(bytes, bytes.len() / 2);
    for piece in [&bytes[..middle], &bytes[middle..]] {
        let block = Block::scanned(piece.to_vec(), &mut scanner);
        let each = block.each_part(&mut faults, |part, _| {
            match part {
                Part::Samples(samples) => {
                    join.scanned(&samples);
                    out.extend(samples.ranges().map(|range| block.bytes()[range].to_vec()));
                }
                Part::Line(line) => {
                    let fate = match line.bad_sample {
                        Some(_) => Fate::PassOn,
                        None => join.push(line.raw, line.kind, 0).unwrap_or(Fate::PassOn),
                    };
                    if fate == Fate::PassOn {
                        out.push(line.raw.to_vec());
                    }
                }
            }
            Ok::<(), ()>(())
        });
        assert_eq!(each, Ok(()));
    }
    finish(join, out)
}

/// The same by a full parse of each line.
fn in_full(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut join = Join::new(1);
    let mut out = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let kind = classify(line);
        let passes = match kind {
            LineKind::Blank | LineKind::Text | LineKind::Broken(_) => false,
            _ => join.push(line, &kind, 0).unwrap_or(Fate::PassOn) == Fate::PassOn,
        };
        if passes {
            out.push(line.to_vec());
        }
    }
    finish(join, out)
}

/// Sorted: a joined line may leave a little earlier or later.
fn finish(mut join: Join, mut out: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    join.finish();
    out.extend(std::iter::from_fn(|| join.next_joined()).map(|(_, line)| line));
    out.sort();
    out
}

/// Behind the first newline from `from` on.
fn memchr_newline(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}
