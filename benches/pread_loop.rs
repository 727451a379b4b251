//! The least that sampling a Linux machine can cost: a loop that reads files which
//! stay open, at 200 ms, and does nothing with them. Once a second it also reads the
//! `statm` of every process that ran when it began, as memmon does to find zombies.
//!
//!     pread_loop SECONDS FILE…
//!
//! Prints the CPU time of one sample in milliseconds.

use std::error::Error;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(200);
/// Samples in a second.
const EACH_SECOND: u32 = 5;

#[allow(clippy::print_stdout, reason = "a program that prints its result")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let seconds: f64 = args.next().ok_or("usage: pread_loop SECONDS FILE…")?.parse()?;
    let files = args.map(File::open).collect::<Result<Vec<_>, _>>()?;
    let processes = processes()?;
    let mut buffer = [0; 4096];
    let start = Instant::now();
    let before = cpu_ms()?;
    let mut samples = 0;
    while start.elapsed().as_secs_f64() < seconds {
        for file in &files {
            file.read_at(&mut buffer, 0)?;
        }
        if samples % EACH_SECOND == 0 {
            for process in &processes {
                // One that has ended meanwhile cannot be read.
                let _ = process.read_at(&mut buffer, 0);
            }
        }
        samples += 1;
        sleep((INTERVAL * samples).saturating_sub(start.elapsed()));
    }
    println!("{:.4}", (cpu_ms()? - before) / f64::from(samples));
    Ok(())
}

/// The `statm` of every process but the kernel's threads, which have no memory.
fn processes() -> Result<Vec<File>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let path = entry?.path().join("statm");
        if std::fs::read(&path).is_ok_and(|text| !text.starts_with(b"0 ")) {
            found.push(File::open(path)?);
        }
    }
    Ok(found)
}

/// CPU time of this process so far, in milliseconds.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    // Nanoseconds on a CPU, of the one thread that there is.
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().ok_or("empty schedstat")?.parse()?;
    Ok(nanoseconds / 1e6)
}
