//! The shape of a line: what stands between its numbers.
//!
//! A sampler writes the same keys in the same order, line after line. Once such a line
//! was read in full, the next one need only be compared: the text between the numbers
//! must be the same, byte for byte, and then each number's meaning is known.

use super::{
    decimal::{decimal, whole},
    grid::slot,
};
use crate::{SERIES, Unit};

/// A line taken apart.
pub(super) struct Shape {
    /// The texts before the numbers, one after the other, then the text behind the last.
    text: Vec<u8>,
    numbers: Vec<Number>,
    /// The series that lines of this shape have: a bit for each place in [`SERIES`].
    pub(super) present: u64,
    /// Whose lines these are: an index into the scanner's origins.
    pub(super) origin: usize,
}

/// A number in a line.
#[derive(Clone, Copy, PartialEq)]
struct Number {
    /// The length of the text before it.
    before: usize,
    slot: Slot,
}

/// What a number means.
#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Ts,
    Seq,
    Missed,
    /// A series.
    Series(Place),
    /// The same; a whole number up to that.
    WholeSeries(Place, u64),
    /// Some other field of a sample that must be whole.
    Whole,
    /// Whatever is left: it must be a number.
    Other,
}

/// Which series a number belongs to.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    /// Its place in [`SERIES`], which has far fewer than this could tell.
    series: u32,
    /// Where in a row its value goes.
    slot: u32,
}

impl Slot {
    /// What a number behind `key` of the object means. None for `v`: another version
    /// is another shape.
    fn of(key: &str) -> Option<Slot> {
        Some(match key {
            "v" => return None,
            "ts" => Slot::Ts,
            "seq" => Slot::Seq,
            "missed" => Slot::Missed,
            "read_us" | "late_us" => Slot::Whole,
            _ => match SERIES.iter().position(|series| series.name == key) {
                None => Slot::Other,
                Some(place) => {
                    let unit = SERIES[place].unit;
                    let place = Place { series: place as u32, slot: 0 };
                    match unit {
                        Unit::Level => Slot::WholeSeries(place, u8::MAX.into()),
                        Unit::Count => Slot::WholeSeries(place, u32::MAX.into()),
                        _ => Slot::Series(place),
                    }
                }
            },
        })
    }
}

/// What the numbers of a line say.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) ts: f64,
    pub(super) seq: u64,
    pub(super) missed: u64,
}

impl Shape {
    /// The shape of `line`, which is the valid JSON text of an object. None when its
    /// keys are not spelled plainly.
    pub(super) fn of(line: &[u8], origin: usize) -> Option<Shape> {
        let mut shape = Shape { text: Vec::new(), numbers: Vec::new(), present: 0, origin };
        let mut depth = 0u32;
        let mut key: Option<&str> = None;
        let mut at = 0;
        // Where the text before the next number begins.
        let mut from = 0;
        while let Some(&byte) = line.get(at) {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b'"' => {
                    let inside = &line[at + 1..];
                    let length = end_of_string(inside)?;
                    at += length + 1;
                    let is_key = line[at + 1..].trim_ascii_start().first() == Some(&b':');
                    if depth == 1 && is_key {
                        let name = std::str::from_utf8(&inside[..length]).ok()?;
                        key = Some(name).filter(|name| !name.contains('\\'));
                        key?;
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let length = decimal(&line[at..])?.1;
                    // An exponent would stay behind as text.
                    let next = line.get(at + length).map(u8::to_ascii_lowercase);
                    if next.is_some_and(|next| matches!(next, b'e' | b'.' | b'0'..=b'9')) {
                        return None;
                    }
                    let slot = if depth == 1 { Slot::of(key?) } else { Some(Slot::Other) };
                    if let Some(slot) = slot {
                        if let Slot::Series(place) | Slot::WholeSeries(place, _) = slot {
                            shape.present |= 1 << place.series;
                        }
                        shape.text.extend_from_slice(&line[from..at]);
                        shape.numbers.push(Number { before: at - from, slot });
                        from = at + length;
                    }
                    at += length - 1;
                }
                _ => {}
            }
            at += 1;
        }
        shape.text.extend_from_slice(&line[from..]);
        Some(shape)
    }

    /// Has what it reads written to rows with columns for `places`, which are its own and others.
    pub(super) fn write_to(&mut self, places: u64) {
        for number in &mut self.numbers {
            if let Slot::Series(place) | Slot::WholeSeries(place, _) = &mut number.slot {
                place.slot = slot(places, place.series as usize) as u32;
            }
        }
    }

    /// The numbers of a line, if it has this shape; else how far it was like it. The values of
    /// its series are written to `row`; some of them, too, where the line surprises later.
    #[inline]
    pub(super) fn read<'a>(
        &self,
        from: Reading<'a>,
        row: &mut [f64],
    ) -> Result<Numbers, Reading<'a>> {
        let Reading { mut numbers, mut rest, count, text } = from;
        let mut text = &self.text[text..];
        for number in &self.numbers[count..] {
            let Some(next) = number.read(text, rest, row, &mut numbers) else {
                return Err(self.reading(text, rest, numbers));
            };
            (text, rest) = next;
        }
        // A number that went on would be found here: no text begins with its rest.
        if rest == text { Ok(numbers) } else { Err(self.reading(text, rest, numbers)) }
    }

    /// How far a line was read of which `rest` is left, and `text` of the shape.
    #[cold]
    fn reading<'a>(&self, text: &[u8], rest: &'a [u8], numbers: Numbers) -> Reading<'a> {
        let read = self.text.len() - text.len();
        let mut before = 0;
        let behind = self.numbers.iter().take_while(|number| {
            before += number.before;
            before <= read
        });
        Reading { count: behind.count(), text: read, rest, numbers }
    }

    /// Whether lines of this shape begin as those of `other` do, as far as one was read.
    pub(super) fn begins_as(&self, other: &Shape, read: &Reading<'_>) -> bool {
        let Reading { count, text, .. } = *read;
        self.numbers.get(..count) == other.numbers.get(..count)
            && self.text.get(..text) == other.text.get(..text)
    }
}

/// How far a line was read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    numbers: Numbers,
    /// Behind the last number.
    rest: &'a [u8],
    /// How many numbers, and how much text of the shape.
    pub(super) count: usize,
    text: usize,
}

impl<'a> Reading<'a> {
    /// Not at all.
    pub(super) fn none_of(line: &'a [u8]) -> Reading<'a> {
        let numbers = Numbers { ts: f64::NAN, seq: 0, missed: 0 };
        Reading { numbers, rest: line, count: 0, text: 0 }
    }
}

impl Number {
    /// Reads it behind the text before it, which `text` begins with; what is left of both.
    #[inline(always)]
    fn read<'t, 'l>(
        &self,
        text: &'t [u8],
        line: &'l [u8],
        row: &mut [f64],
        numbers: &mut Numbers,
    ) -> Option<(&'t [u8], &'l [u8])> {
        let (before, after) = text.split_at_checked(self.before)?;
        let rest = behind(line, before)?;
        let length = match self.slot {
            Slot::Series(place) => take(decimal(rest)?, row.get_mut(place.slot as usize)?),
            Slot::WholeSeries(place, most) => {
                let (value, length) = whole(rest).filter(|(value, _)| *value <= most)?;
                *row.get_mut(place.slot as usize)? = value as f64;
                length
            }
            Slot::Ts => take(decimal(rest)?, &mut numbers.ts),
            Slot::Seq => take(whole(rest)?, &mut numbers.seq),
            Slot::Missed => take(whole(rest)?, &mut numbers.missed),
            Slot::Whole => whole(rest)?.1,
            Slot::Other => decimal(rest)?.1,
        };
        Some((after, &rest[length..]))
    }
}

/// What stands in `line` behind `text`, if it begins with that: texts of some length are
/// compared eight bytes at a time, on the spot.
#[inline]
fn behind<'a>(line: &'a [u8], text: &[u8]) -> Option<&'a [u8]> {
    let (begin, rest) = line.split_at_checked(text.len())?;
    let same = match (begin.last_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(end), Some(text_end)) => {
            let (words, _) = begin.as_chunks::<8>();
            let (text_words, _) = text.as_chunks::<8>();
            end == text_end && words.iter().zip(text_words).all(|(word, text)| word == text)
        }
        _ => begin == text,
    };
    same.then_some(rest)
}

fn take<T>((value, length): (T, usize), into: &mut T) -> usize {
    *into = value;
    length
}

/// The length of a string up to its closing quote.
fn end_of_string(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inside.get(at..)?)?;
        if inside[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
