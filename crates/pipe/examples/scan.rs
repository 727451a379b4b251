//! The least that our join must do: read the lines and their numbers, as all our tools read
//! them. What `just bench` holds correlate against, beside the plain scan.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::process::ExitCode;

use pipe::{BlockReader, Error, Faults, Part};

fn main() -> ExitCode {
    match scan() {
        Ok((lines, sum)) => {
            println!("{lines} samples, {sum}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            pipe::cli::complain("scan", &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn scan() -> Result<(u64, f64), Error> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let mut reader = BlockReader::open(&files)?;
    let mut faults = Faults::new("scan");
    let (mut samples, mut sum) = (0, 0.0);
    while let Some(block) = reader.next_block()? {
        block.each_part(&mut faults, |part, _| {
            if let Part::Samples(part) = part {
                samples += part.rows.len() as u64;
                for (_, values) in part.pieces().flat_map(|piece| piece.columns()) {
                    sum += total(values);
                }
            }
            Ok::<(), Error>(())
        })?;
        reader.give_back(block);
    }
    Ok((samples, sum))
}

/// The sum of what was measured: in four parts, so that they need not wait for one another.
fn total(values: &[f64]) -> f64 {
    let measured = |value: f64| if value.is_nan() { 0.0 } else { value };
    let (quads, rest) = values.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for quad in quads {
        (0..4).for_each(|lane| sums[lane] += measured(quad[lane]));
    }
    sums.iter().sum::<f64>() + rest.iter().map(|value| measured(*value)).sum::<f64>()
}
