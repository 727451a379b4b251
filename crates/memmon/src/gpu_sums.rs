//! What all GPUs use together.

use probe::Gpu;

/// Sums over the GPUs at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GpuSums {
    /// Memory in use, in bytes.
    pub mem_used_bytes: Option<u64>,
    /// Power in watts.
    pub power_w: Option<f64>,
}

/// Adds up. A GPU that has ever given a quantity is missed when it gives none: the
/// sum would dip by its part, so there is no sum then. One that never gave it, as
/// those that share the system's memory, is left out.
#[derive(Clone, Debug, Default)]
pub struct Adder {
    memory: Vec<bool>,
    power: Vec<bool>,
}

impl Adder {
    /// The sums over `gpus`, which come in the same order each time.
    pub fn sums(&mut self, gpus: &[Gpu]) -> GpuSums {
        GpuSums {
            mem_used_bytes: total(&mut self.memory, gpus, |gpu| gpu.mem_used_bytes)
                .map(|values| values.iter().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes))),
            power_w: total(&mut self.power, gpus, |gpu| gpu.power_w)
                .map(|values| values.iter().sum()),
        }
    }
}

/// The values, if there are any and none is missed.
fn total<T>(
    given: &mut Vec<bool>,
    gpus: &[Gpu],
    value: impl Fn(&Gpu) -> Option<T>,
) -> Option<Vec<T>> {
    given.resize(gpus.len(), false);
    let mut values = Vec::new();
    let mut is_whole = true;
    for (gpu, given) in gpus.iter().zip(given) {
        match value(gpu) {
            Some(value) => {
                *given = true;
                values.push(value);
            }
            None if *given => is_whole = false,
            None => {}
        }
    }
    (is_whole && !values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use probe::Gpu;

    use super::{Adder, GpuSums};

    fn gpu(mem_used_bytes: Option<u64>, power_w: Option<f64>) -> Gpu {
        Gpu { mem_used_bytes, power_w, ..Gpu::unmeasured("A".into()) }
    }

    #[test]
    fn a_gpu_that_fails_once_takes_the_sum_away_for_that_sample() {
        let mut adder = Adder::default();
        let both = [gpu(Some(60), Some(300.0)), gpu(Some(70), Some(290.0))];
        let one = [gpu(None, None), gpu(Some(70), Some(290.0))];
        let whole = GpuSums { mem_used_bytes: Some(130), power_w: Some(590.0) };
        assert_eq!(adder.sums(&both), whole);
        assert_eq!(adder.sums(&one), GpuSums::default());
        assert_eq!(adder.sums(&one), GpuSums::default());
        assert_eq!(adder.sums(&both), whole);
    }

    #[test]
    fn a_gpu_that_never_gave_a_quantity_is_left_out_of_its_sum() {
        let mut adder = Adder::default();
        let mixed = [gpu(Some(60), Some(300.0)), gpu(Some(1), None)];
        let sums = GpuSums { mem_used_bytes: Some(61), power_w: Some(300.0) };
        assert_eq!(adder.sums(&mixed), sums);
    }

    #[test]
    fn without_a_gpu_there_is_no_sum() {
        assert_eq!(Adder::default().sums(&[]), GpuSums::default());
    }
}
