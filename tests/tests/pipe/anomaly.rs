//! An anomaly that memmon noticed, on its way through every filter.

use crate::tools::{stderr, tool};

const LINE: &str = r#"{"record":"anomaly","v":1,"ts":1000.2,"run":"r","host":"h","kind":"sleep","severity":"warn","end_ts":4600.4,"message":"the machine slept for 3600.0 s before sample 1","evidence":{"slept_s":3600.0,"awake_s":0.2,"seq":1},"tests":[]}"#;

#[test]
fn a_sleep_that_memmon_wrote_is_valid_passes_on_and_is_reported() {
    let sample = |seq: u32, ts: f64| {
        format!(
            r#"{{"record":"sample","v":1,"ts":{ts},"run":"r","host":"h","seq":{seq},"elapsed_s":{},"ram_free_gb":8.0}}"#,
            f64::from(seq) / 5.0
        )
    };
    let stream = format!("{}\n{LINE}\n{}\n", sample(0, 1000.2), sample(1, 4600.4));
    let fed = |name: &str, args: &[&str]| {
        let output = testing::fed(tool(name).args(args), stream.as_bytes());
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    fed("validate", &[]);
    let joined = fed("correlate", &[]);
    assert!(joined.lines().any(|line| line == LINE), "{joined}");
    let report = fed("reportgen", &[]);
    assert!(report.contains("the machine slept for 3600.0 s"), "{report}");
    assert!(fed("memplot", &["-o", "-"]).contains("<html"));
}
