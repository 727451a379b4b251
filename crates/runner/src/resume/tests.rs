use std::path::Path;

use records::Outcome;

use super::Kept;

const HEAD: &str = r#""v":1,"ts":1.0,"run":"r","host":"h""#;

fn read(lines: &[String]) -> Result<Kept, pipe::Error> {
    let dir = tempfile::tempdir().unwrap();
    read_in(dir.path(), lines)
}

fn read_in(dir: &Path, lines: &[String]) -> Result<Kept, pipe::Error> {
    let path = dir.join("run.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    Kept::read(path.to_str().unwrap(), "s")
}

fn lines(kept: &Kept, id: &str) -> String {
    let mut all = Vec::new();
    let each = |line: &[u8]| {
        all.extend_from_slice(line);
        Ok(())
    };
    kept.each_line(id, each).unwrap();
    String::from_utf8(all).unwrap()
}

fn line(record: &str, id: &str, rest: &str) -> String {
    format!(r#"{{"record":"{record}",{HEAD},"id":"{id}","suite":"s"{rest}}}"#)
}

#[test]
fn results_are_kept_with_their_tries_byte_for_byte() {
    let all = [
        line("run_start", "", ""),
        line("attempt", "a", r#","outcome":"failed", "odd":  1"#),
        line("test", "a", r#","outcome":"passed""#),
        line("test", "b", r#","outcome":"error","error":{"kind":"interrupted","message":""}"#),
        line("attempt", "c", r#","outcome":"failed""#),
        line("test", "d", r#","outcome":"failed""#),
        r#"{"record":"test","v":1,"ts""#.to_owned(),
    ];
    let kept = read(&all).unwrap();
    assert_eq!(kept.run.as_deref(), Some("r"));
    assert_eq!(kept.count(["a", "b", "c", "d", "e"].into_iter()), 2);
    assert_eq!(kept.outcome("a"), Some(Outcome::Passed));
    assert_eq!(lines(&kept, "a"), format!("{}\n{}\n", all[1], all[2]));
    assert_eq!(kept.outcome("d"), Some(Outcome::Failed));
    assert!(!kept.has("b") && !kept.has("c") && !kept.has("e"));
}

#[test]
fn requests_are_read_again_where_they_stand_and_those_of_an_earlier_go_are_not() {
    let request = |id: &str, custom_id: &str| {
        let rest = r#","index":0,"end_ts":2.0,"duration_s":1.0,"tries":1,"custom_id":""#;
        line("request", id, &format!("{rest}{custom_id}\""))
    };
    let interrupted = r#","outcome":"error","error":{"kind":"interrupted","message":""}"#;
    let all = [
        line("run_start", "", ""),
        request("a", "earlier"),
        line("test", "a", r#","outcome":"failed""#),
        request("a", "r-0"),
        "no JSON\r".to_owned(),
        request("b", "of another"),
        line("test", "a", interrupted),
        request("a", "r-1"),
        request("c", "r-0"),
        line("test", "c", r#","outcome":"passed""#),
        r#"{"record":"request","v":1,"ts""#.to_owned(),
    ];
    let dir = tempfile::tempdir().unwrap();
    let kept = read_in(dir.path(), &all).unwrap();
    let requests = |id: &str| {
        let mut ids = Vec::new();
        kept.each_request(id, |request| ids.extend(request.custom_id.clone())).unwrap();
        ids
    };
    assert_eq!(
        (requests("a"), requests("c")),
        (vec!["r-0".into(), "r-1".into()], vec!["r-0".into()])
    );
    assert_eq!(lines(&kept, "a"), format!("{}\n{}\n", all[3], all[7]));
    assert_eq!(lines(&kept, "c"), format!("{}\n{}\n", all[8], all[9]));
    assert!(!kept.has("a") && kept.has("c"));
}

#[test]
fn the_later_of_two_results_stands() {
    let kept = read(&[
        line("run_start", "", ""),
        line("test", "a", r#","outcome":"failed""#),
        line("test", "a", r#","outcome":"passed""#),
    ]);
    assert_eq!(kept.unwrap().outcome("a"), Some(Outcome::Passed));
}

#[test]
fn what_holds_no_results_at_all_is_refused_and_what_holds_none_yet_is_not() {
    for garbage in ["notes\n\u{1b}[31mmore", "{\"a\": 1}\n", "{\"record\":\"test\",\"v\""] {
        let error = read(&[garbage.to_owned()]).unwrap_err().to_string();
        assert!(error.ends_with("run.jsonl: holds no results of a run"), "{error}");
    }
    let sample = format!(r#"{{"record":"sample",{HEAD},"seq":1,"elapsed_s":0}}"#);
    for early in [&[][..], &[sample]] {
        assert!(read(early).unwrap().run.is_none());
    }
}

#[test]
fn a_run_of_another_suite_is_refused() {
    let other = line("run_start", "", "").replace(r#""suite":"s""#, r#""suite":"t""#);
    let error = read(&[other]).unwrap_err().to_string();
    assert!(error.contains("run.jsonl:1: a run of the suite \"t\""), "{error}");
}
