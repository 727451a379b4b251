//! IOReport's channels in a capture, moment after moment.

use super::macos::Texts;
use crate::decode::dvfs::frequencies_mhz;
use crate::decode::ioreport::activity;
use crate::decode::ioreport::energy::{Part, unreadable};
use crate::decode::ioreport::meters::{Measured, Meters};
use crate::profile::GpuProfile;
use crate::reading::Gpu;

/// The meters, which need two samples to tell anything.
#[derive(Default)]
pub(super) struct Played(Option<Meters>);

impl Played {
    /// Adds what the samples of this moment tell to its reading.
    pub(super) fn add_to(&mut self, texts: &mut Texts) {
        let Some(last) = texts.samples.last().cloned() else {
            return;
        };
        let freqs_mhz = texts.gpu_table.as_deref().and_then(frequencies_mhz).unwrap_or_default();
        let has_freqs = !freqs_mhz.is_empty();
        let meters = self.0.get_or_insert_with(|| Meters::new(freqs_mhz));
        let measured = texts.samples.iter().map(|sample| meters.read(sample)).last();
        fill(texts, &measured.unwrap_or_default());

        let counted = |part| unreadable(part, &last.channels).is_none();
        let has_states = activity::is_in(&last);
        for (quantity, is_there) in [
            ("gpu_residency_pct", has_states),
            ("gpu_freq_mhz", has_states && has_freqs),
            ("gpu_power_w", counted(Part::Gpu)),
            ("cpu_power_w", counted(Part::Cpu)),
            ("ane_power_w", counted(Part::Ane)),
            ("dram_power_w", counted(Part::Dram)),
        ] {
            texts.note(quantity, is_there, "IOReport");
        }
    }
}

fn fill(texts: &mut Texts, measured: &Measured) {
    let reading = &mut texts.reading;
    reading.cpu_power_w = measured.watts_of(Part::Cpu);
    reading.ane_power_w = measured.watts_of(Part::Ane);
    reading.dram_power_w = measured.watts_of(Part::Dram);
    let gpu_power_w = measured.watts_of(Part::Gpu);
    if reading.gpus.is_empty() && (gpu_power_w.is_some() || measured.gpu.is_some()) {
        let name = super::macos::GPU;
        texts.profile.gpus.push(GpuProfile { name: name.to_owned(), ..GpuProfile::default() });
        reading.gpus.push(Gpu::unmeasured(name.into()));
    }
    if let Some(gpu) = reading.gpus.first_mut() {
        gpu.power_w = gpu_power_w;
        gpu.residency_pct = measured.gpu.map(|active| active.residency_pct);
        gpu.freq_mhz = measured.gpu.and_then(|active| active.freq_mhz);
    }
}
