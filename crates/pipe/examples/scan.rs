//! The least that a join must do: read the lines and their numbers. What `just bench`
//! holds correlate against.
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
                sum += part
                    .rows
                    .iter()
                    .flat_map(|row| row.series(part.values))
                    .map(|(_, v)| v)
                    .sum::<f64>();
            }
            Ok::<(), Error>(())
        })?;
        reader.give_back(block);
    }
    Ok((samples, sum))
}
