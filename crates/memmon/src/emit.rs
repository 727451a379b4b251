//! In which layout memmon writes its own lines.

use clap::ValueEnum;
use records::{Anomaly, Sample, Stream};

use crate::{mlx_knife, output::Output};

/// The layout of memmon's own lines. The command's are passed on as they are in either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// Those of docs/records.md
    #[default]
    Records,
    /// Samples and a summary as mlx-knife's own sampler writes them
    MlxKnife,
}

impl Emit {
    /// Writes the first line, where the layout has one.
    pub fn stream(self, output: &Output, stream: &Stream) {
        // mlx-knife's readers take every line that is no summary for a sample.
        if self == Emit::Records {
            output.record(stream);
        }
    }

    /// Writes an anomaly, where the layout has them.
    pub fn anomaly(self, output: &Output, anomaly: &Anomaly) {
        if self == Emit::Records {
            output.record(anomaly);
        }
    }

    /// Writes a sample.
    pub fn sample(self, output: &Output, sample: &Sample) {
        match self {
            Emit::Records => output.record(sample),
            Emit::MlxKnife => output.line(|out| mlx_knife::write(out, &mlx_knife::sample(sample))),
        }
    }
}
