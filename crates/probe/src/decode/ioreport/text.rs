//! IOReport channels as text: what a dump writes and a test reads.
//!
//! A line for each channel, fields apart by tabs: group, subgroup, name, unit,
//! stamp in nanoseconds (`-` without one), then `count` and the number, or
//! `states` and a `NAME=time` for each state. A line `at_ns` with a number
//! begins a sample; lines that begin with `#` are remarks.

use super::{Channel, Sample, Value};

const AT: &str = "at_ns";

/// The samples in `text`. Lines that cannot be understood are passed over.
#[must_use]
pub fn parse(text: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(at) = line.strip_prefix(AT).and_then(|rest| rest.strip_prefix('\t')) {
            // Without its time, what follows would belong to the sample before.
            let at_ns = at.parse().unwrap_or_default();
            samples.push(Sample { at_ns, channels: Vec::new() });
        } else if let (Some(sample), Some(channel)) = (samples.last_mut(), channel(line)) {
            sample.channels.push(channel);
        }
    }
    samples
}

fn channel(line: &str) -> Option<Channel> {
    let mut fields = line.split('\t');
    let mut field = || fields.next();
    let (group, subgroup, name, unit) = (field()?, field()?, field()?, field()?);
    let stamp_ns = match field()? {
        "-" => None,
        stamp => Some(stamp.parse().ok()?),
    };
    let value = match field()? {
        "count" => Value::Count(field()?.parse().ok()?),
        "states" => Value::States(fields.map(state).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(Channel {
        group: group.to_owned(),
        subgroup: subgroup.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        stamp_ns,
        value,
    })
}

fn state(field: &str) -> Option<(String, i64)> {
    let (name, time) = field.rsplit_once('=')?;
    Some((name.to_owned(), time.parse().ok()?))
}

/// `sample` as text that [`parse`] reads back.
#[must_use]
pub fn write(sample: &Sample) -> String {
    let mut text = format!("{AT}\t{}\n", sample.at_ns);
    for channel in &sample.channels {
        for part in [&channel.group, &channel.subgroup, &channel.name, &channel.unit] {
            text.push_str(&plain(part));
            text.push('\t');
        }
        match channel.stamp_ns {
            Some(stamp) => text.push_str(&stamp.to_string()),
            None => text.push('-'),
        }
        match &channel.value {
            Value::Count(count) => text.push_str(&format!("\tcount\t{count}")),
            Value::States(states) => {
                text.push_str("\tstates");
                for (name, time) in states {
                    text.push_str(&format!("\t{}={time}", plain(name)));
                }
            }
        }
        text.push('\n');
    }
    text
}

/// Names come from drivers: nothing in them may end a field or a line.
fn plain(name: &str) -> String {
    name.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn remarks_and_broken_lines_are_passed_over() {
        let text = "# made up\nEnergy Model\t\tlost\tmJ\t-\tcount\t1\nat_ns\t5\n\
                    Energy Model\t\tCPU Energy\tmJ\t4\tcount\t70\nEnergy Model\t\tcut\tmJ\t-\tcou\n\
                    GPU Stats\tGPU Performance States\tGPUPH\t24Mticks\t-\tstates\tOFF=1\tP1=2\nat_ns\tx\n";
        let samples = parse(text);
        assert_eq!(samples.len(), 2);
        assert_eq!((samples[0].at_ns, samples[0].channels.len()), (5, 2));
        assert_eq!(samples[0].channels[0].stamp_ns, Some(4));
        let states = vec![("OFF".to_owned(), 1), ("P1".to_owned(), 2)];
        assert_eq!(samples[0].channels[1].value, Value::States(states));
        assert!(samples[1].channels.is_empty());
    }

    fn any_channel() -> impl Strategy<Value = Channel> {
        let name = "[^\\p{Cc}#][^\\p{Cc}]{0,12}";
        let value = prop_oneof![
            any::<i64>().prop_map(Value::Count),
            proptest::collection::vec((name, any::<i64>()), 0..5).prop_map(Value::States),
        ];
        (name, "[^\\p{Cc}]{0,12}", name, "[^\\p{Cc}]{0,4}", any::<Option<u64>>(), value).prop_map(
            |(group, subgroup, name, unit, stamp_ns, value)| Channel {
                group,
                subgroup,
                name,
                unit,
                stamp_ns,
                value,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            at_ns: u64,
            channels in proptest::collection::vec(any_channel(), 0..6),
        ) {
            prop_assume!(channels.iter().all(|channel| channel.group != AT));
            let sample = Sample { at_ns, channels };
            prop_assert_eq!(parse(&write(&sample)), vec![sample]);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&format!("at_ns\t1\n{text}"));
        }
    }
}
