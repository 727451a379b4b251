//! Columns small enough to travel in the page, every value of them.
//!
//! A column is written as differences, small numbers in one byte, and compressed. The
//! page's other half is `page/worker.js`. In the order of the bytes: how many runs there
//! are, the length of each (measured, missing, measured, …), then for each measured
//! value its difference from the one before, less `step`. All are LEB128, differences
//! zigzag first.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};

use crate::columns::{Column, Columns, MISSING};

/// Everything beyond costs more time than it saves room (`benches/` tells).
const LEVEL: u32 = 2;

/// The samples of `columns`: base64 of the times, as microseconds after `start`, and of
/// each column, empty for one that others give. Compressed on all cores.
///
/// # Errors
///
/// None that writing to memory can have.
pub(crate) fn pack(columns: &Columns, start: i64, step: i64) -> io::Result<Vec<String>> {
    let all: Vec<&Column> = columns.iter().collect();
    let next = AtomicUsize::new(0);
    let some = || {
        let mut packed = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let text = match index.checked_sub(1).map(|i| all.get(i)) {
                None => times(&columns.times, start, step)?,
                Some(Some(_)) if columns.derived(index - 1).is_some() => String::new(),
                Some(Some(column)) => values(&column.values)?,
                Some(None) => return io::Result::Ok(packed),
            };
            packed.push((index, text));
        }
    };
    let threads = thread::available_parallelism().map_or(1, |n| n.get().min(all.len() + 1));
    let mut packed = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut packed = some()?;
        for other in others {
            packed.extend(other.join().map_err(|_| io::Error::other("a thread ended"))??);
        }
        io::Result::Ok(packed)
    })?;
    packed.sort_by_key(|(index, _)| *index);
    Ok(packed.into_iter().map(|(_, text)| text).collect())
}

fn times(times: &[i64], start: i64, step: i64) -> io::Result<String> {
    let mut out = Packer::new();
    out.number(1)?;
    out.number(times.len() as u64)?;
    let mut before = start;
    for time in times {
        out.signed(time - before - step)?;
        before = *time;
    }
    out.finish()
}

fn values(values: &[i32]) -> io::Result<String> {
    let mut out = Packer::new();
    let runs = runs(values);
    out.number(runs.len() as u64)?;
    for run in runs {
        out.number(run)?;
    }
    let mut before = 0;
    for value in values.iter().copied().filter(|value| *value != MISSING).map(i64::from) {
        out.signed(value - before)?;
        before = value;
    }
    out.finish()
}

/// `text` compressed, as base64.
///
/// # Errors
///
/// None that writing to memory can have.
pub(crate) fn text(text: &str) -> io::Result<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(text.as_bytes())?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// How many values are measured, then missing, then measured, and so on.
fn runs(values: &[i32]) -> Vec<u64> {
    let mut runs = Vec::new();
    let (mut measured, mut length) = (true, 0);
    for value in values {
        if (*value != MISSING) != measured {
            runs.push(length);
            (measured, length) = (!measured, 0);
        }
        length += 1;
    }
    runs.push(length);
    runs
}

/// Numbers in, compressed text out.
struct Packer {
    encoder: DeflateEncoder<Vec<u8>>,
    /// The encoder is asked seldom.
    buffer: Vec<u8>,
}

impl Packer {
    const FULL: usize = 64 << 10;

    fn new() -> Packer {
        let encoder = DeflateEncoder::new(Vec::new(), Compression::new(LEVEL));
        Packer { encoder, buffer: Vec::with_capacity(Packer::FULL + 10) }
    }

    fn signed(&mut self, number: i64) -> io::Result<()> {
        // Zigzag: the sign is the lowest bit, so that what is near 0 is small.
        self.number(((number << 1) ^ (number >> 63)) as u64)
    }

    fn number(&mut self, mut number: u64) -> io::Result<()> {
        while number >= 0x80 {
            // The lowest seven bits, with a mark that more follow.
            self.buffer.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.buffer.push(number as u8);
        if self.buffer.len() >= Packer::FULL {
            self.encoder.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<String> {
        self.encoder.write_all(&self.buffer)?;
        Ok(STANDARD.encode(self.encoder.finish()?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use base64::{Engine, engine::general_purpose::STANDARD};
    use flate2::read::DeflateDecoder;
    use proptest::prelude::*;

    use super::{MISSING, times, values};

    /// What the page does, written anew: the values of `text`.
    fn unpacked(text: &str, start: i64, step: i64) -> Vec<Option<i64>> {
        let mut bytes = Vec::new();
        DeflateDecoder::new(&STANDARD.decode(text).unwrap()[..]).read_to_end(&mut bytes).unwrap();
        let mut numbers = bytes.split_inclusive(|byte| byte & 0x80 == 0).map(|number| {
            number.iter().rev().fold(0u64, |sum, byte| sum << 7 | u64::from(byte & 0x7f))
        });
        let count = numbers.next().unwrap();
        let runs: Vec<u64> = (0..count).map(|_| numbers.next().unwrap()).collect();
        let (mut all, mut last) = (Vec::new(), start);
        for (i, run) in runs.into_iter().enumerate() {
            for _ in 0..run {
                all.push((i % 2 == 0).then(|| {
                    let zigzag = numbers.next().unwrap();
                    last += (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
                    last += step;
                    last
                }));
            }
        }
        assert_eq!(numbers.next(), None);
        all
    }

    proptest! {
        #[test]
        fn every_value_comes_out_as_it_went_in(
            column in proptest::collection::vec(
                prop_oneof![Just(MISSING), any::<i32>(), -50..50i32], 0..400),
            first in any::<i32>(),
            steps in proptest::collection::vec(0..5_000_000i64, 0..400),
        ) {
            let want: Vec<Option<i64>> =
                column.iter().map(|v| (*v != MISSING).then_some(i64::from(*v))).collect();
            prop_assert_eq!(unpacked(&values(&column).unwrap(), 0, 0), want);

            let start = 1_770_000_000_000_000;
            let mut last = start + i64::from(first);
            let ascending: Vec<i64> = steps.iter().map(|step| { last += step; last }).collect();
            let text = times(&ascending, start, 200_000).unwrap();
            let want: Vec<Option<i64>> = ascending.into_iter().map(Some).collect();
            prop_assert_eq!(unpacked(&text, start, 200_000), want);
        }
    }
}
