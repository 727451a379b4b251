//! IOReport: the counters that Apple's drivers keep of states and energy.
//!
//! A channel has a group, a name, a unit and a value that only grows; what
//! happened between two samples is the difference of two values. The system's
//! library is private and its channels differ from chip to chip, so everything
//! that is done with them is done here, and a sample can be written down as
//! [text] and read back.

pub mod activity;
pub mod energy;
pub mod meters;
pub mod text;

/// Group of the energy counters.
pub const ENERGY: &str = "Energy Model";
/// Group and subgroup of the GPU's performance states.
pub const GPU_STATES: (&str, &str) = ("GPU Stats", "GPU Performance States");

/// All channels that were asked for, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken, in nanoseconds of the monotonic clock that the
    /// drivers use for their stamps.
    pub at_ns: u64,
    /// In the order in which the system gave them.
    pub channels: Vec<Channel>,
}

/// One counter of one driver.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// `Energy Model`.
    pub group: String,
    /// `GPU Performance States`; often empty.
    pub subgroup: String,
    /// `CPU Energy`.
    pub name: String,
    /// `mJ`, `nJ`, `24Mticks`.
    pub unit: String,
    /// When the driver last updated it, on the clock of [`Sample::at_ns`].
    pub stamp_ns: Option<u64>,
    /// What it counted since boot.
    pub value: Value,
}

/// The value of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A plain counter.
    Count(i64),
    /// Time spent in each state, by the state's name, lowest state first.
    States(Vec<(String, i64)>),
}

impl Default for Value {
    fn default() -> Value {
        Value::Count(0)
    }
}

/// The time at which the driver updated an element, from the element's bytes
/// (`IOReportElement` in XNU's `IOReportTypes.h`: provider, channel, type,
/// timestamp, values; 64 bits each). In ticks; `None` when there is none.
#[must_use]
pub fn stamp_ticks(element: &[u8]) -> Option<u64> {
    let bytes = element.get(24..32)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|ticks| *ticks > 0)
}

/// What a tick of the machine's clock is: 125/3 ns on Apple silicon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timebase {
    /// Nanoseconds in `denom` ticks.
    pub numer: u32,
    /// See `numer`.
    pub denom: u32,
}

impl Timebase {
    /// `ticks` in nanoseconds. `None` when that does not fit, or when the
    /// base is none.
    #[must_use]
    pub fn ns(self, ticks: u64) -> Option<u64> {
        let scaled = u128::from(ticks) * u128::from(self.numer);
        u64::try_from(scaled.checked_div(u128::from(self.denom))?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_24_million_ticks_on_apple_silicon() {
        let base = Timebase { numer: 125, denom: 3 };
        assert_eq!(base.ns(24_000_000), Some(1_000_000_000));
        assert_eq!(base.ns(u64::MAX), None);
        assert_eq!(Timebase { numer: 1, denom: 0 }.ns(1), None);
    }

    #[test]
    fn the_stamp_is_the_fourth_word_of_an_element() {
        let mut element = [0xff_u8; 64];
        element[24..32].copy_from_slice(&77_u64.to_le_bytes());
        assert_eq!(stamp_ticks(&element), Some(77));
        assert_eq!(stamp_ticks(&element[..31]), None);
        assert_eq!(stamp_ticks(&[0; 64]), None, "never updated");
    }
}
