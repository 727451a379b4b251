//! What a sample costs with a large process tree.
//!
//!     wide_tree PROCESSES [SECONDS]
//!
//! Starts PROCESSES idle processes, watches them as memmon does, at 200 ms with a
//! deep read once a second, and prints what the reads took.

use std::error::Error;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use probe::{Machine, Processes, Tree};

const INTERVAL: Duration = Duration::from_millis(200);

#[allow(clippy::print_stdout, reason = "a program that prints its result")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let count: usize = args.next().ok_or("usage: wide_tree PROCESSES [SECONDS]")?.parse()?;
    let seconds: f64 = args.next().map_or(Ok(10.0), |seconds| seconds.parse())?;
    let mut family = Family(Vec::new());
    for _ in 0..count {
        family.0.push(Command::new("sleep").arg("600").spawn()?);
    }

    let mut machine = Machine::open();
    let own = i32::try_from(std::process::id())?;
    let mut processes = Processes::open(Some(Tree::descendants_of(own)));
    let mut took = Vec::new();
    let mut shares = Vec::new();
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        let _ = machine.read();
        let reading = processes.read(took.len() % 5 == 0);
        took.push(before.elapsed().as_secs_f64() * 1e3);
        let tree = reading.tree.ok_or("no tree")?;
        if tree.pss_bytes.is_some() {
            shares.push(took.len());
        }
        if usize::try_from(tree.procs)? != count {
            return Err(format!("{} of {count} processes seen", tree.procs).into());
        }
        sleep((INTERVAL * u32::try_from(took.len())?).saturating_sub(start.elapsed()));
    }
    let first = took.remove(0);
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!(
        "{count} processes: first sample {first:.2} ms, then median {:.2}, 95th percentile {:.2}, \
         most {:.2} ms over {} samples; shared memory divided in samples {shares:?}",
        at(0.5),
        at(0.95),
        at(1.0),
        took.len(),
    );
    Ok(())
}

/// Processes that end with this program.
struct Family(Vec<Child>);

impl Drop for Family {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
