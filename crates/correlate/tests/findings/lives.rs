//! Models in memory: what they took and gave back, and the order that would load each once.

use correlate::Thresholds;
use serde_json::{Value, json};

use crate::story::{Story, at, joined, of_kind};

#[test]
fn a_model_life_tells_what_it_took_and_gave_back_and_what_ran_on_it() {
    let mut story = Story::new();
    story.pass(2.0);
    story.load("abc", 5.0, 3.0);
    let rest = json!({"model": {"id": "abc", "size_gb": 4.4}});
    story.test_with("t1", Some("abc"), 2.0, rest, |ts, sample| {
        if (6.0..6.5).contains(&ts) {
            sample["tree_rss_gb"] = json!(6.55);
        }
    });
    story.test("no model", None, 2.0, json!({}));
    story.stop("abc", 4.8);
    story.pass(2.0);
    let found = story.found();
    let lives = of_kind(&found, "model_life");
    assert_eq!(lives.len(), 1);
    let life = &lives[0];
    assert_eq!(
        (life["ts"].as_f64().unwrap(), life["end_ts"].as_f64().unwrap()),
        (at(2.0), at(9.01))
    );
    assert_eq!(life["params"], Story::params("abc"));
    assert_eq!((&life["memory_series"], &life["before_gb"]), (&json!("tree_rss_gb"), &json!(0.05)));
    assert_eq!((&life["disk_gb"], &life["model_delta_gb"]), (&json!(4.4), &json!(5.0)));
    assert_eq!((&life["peak_gb"], &life["not_returned_gb"]), (&json!(6.5), &json!(0.2)));
    assert_eq!((&life["load_s"], &life["tests"]), (&json!(3.0), &json!(["t1"])));
    assert_eq!(life["unnamed_tests"], json!(["no model"]));
    assert!(life.get("inferred").is_none() && life.get("gpu_delta_gb").is_none());
    assert_eq!(of_kind(&found, "anomaly"), Vec::<Value>::new());

    let (lines, _) = joined(&[story.texts()], Thresholds::default());
    let delta = |what: &str| {
        let is = |line: &&Value| {
            line["record"] == "test" && line["id"] == what
                || line["record"] == "span" && line["phase"] == what
        };
        lines.iter().find(is).unwrap()["model_delta_gb"].clone()
    };
    assert_eq!((delta("load"), delta("t1")), (json!(5.0), json!(5.0)));
    assert_eq!((delta("stop"), delta("no model")), (Value::Null, Value::Null));
}

#[test]
fn memory_of_a_discrete_gpu_counts() {
    let mut story = Story::new();
    story.set(json!({"gpu_mem_used_gb": 1.0}));
    story.pass(2.0);
    let start = story.begin(json!({"phase": "load", "params": Story::params("m")}));
    story.take(0.5);
    story.set(json!({"gpu_mem_used_gb": 9.0}));
    story.pass(2.0);
    let end = story.now;
    story.line(
        "span",
        start,
        json!({"phase": "load", "params": Story::params("m"),
        "end_ts": at(end), "duration_s": 2.0}),
    );
    story.pass(1.0);
    let life = of_kind(&story.found(), "model_life").remove(0);
    assert_eq!(life["memory_series"], "tree_rss_gb + gpu_mem_used_gb");
    assert_eq!((&life["model_delta_gb"], &life["gpu_delta_gb"]), (&json!(8.5), &json!(8.0)));
    assert!(life.get("not_returned_gb").is_none(), "it was never unloaded");
}

#[test]
fn advice_tells_what_loading_cost_and_the_order_that_loads_each_model_once() {
    let mut story = Story::new();
    story.soak(&["a", "b", "a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["loads"], &advice["models"]), (&json!(4), &json!(2)));
    assert_eq!((&advice["load_s"], &advice["saves_s"]), (&json!(12.0), &json!(6.0)));
    assert_eq!(
        advice["message"],
        "4 loads of 2 models in 12.0 s: loading each once would have saved 6.0 s"
    );
    let order: Vec<&str> =
        advice["order"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let want = [
        "t0.0", "t0.1", "t0.2", "t2.0", "t2.1", "t2.2", "t1.0", "t1.1", "t1.2", "t3.0", "t3.1",
        "t3.2",
    ];
    assert_eq!(order, want);

    let mut story = Story::new();
    story.soak(&["a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["saves_s"], &advice["order"]), (&json!(0.0), &json!([])));

    // An order that was kept already is no advice.
    let mut story = Story::new();
    story.soak(&["a", "a", "b"], 0.0);
    let advice = of_kind(&story.found(), "advice").remove(0);
    assert_eq!((&advice["saves_s"], &advice["order"]), (&json!(3.0), &json!([])));
    let message = advice["message"].as_str().unwrap();
    assert!(message.ends_with("saved 3.0 s; the order of the cases was not the reason"));
}

#[test]
fn a_server_that_was_there_before_gets_no_advice() {
    let mut story = Story::new();
    for (at, model) in ["a", "b", "a", "b"].iter().enumerate() {
        story.test(&format!("t{at}"), Some(model), 2.0, json!({}));
    }
    assert_eq!(story.found(), Vec::<Value>::new());
    // Where nobody says what is loaded, a change of the model is a load.
    story.lines.retain(|(_, line)| line["record"] != "run_start");
    assert_eq!(of_kind(&story.found(), "advice")[0]["loads"], 4);
}

#[test]
fn models_in_memory_at_once_share_what_nobody_can_tell_apart() {
    let mut story = Story::new();
    story.pass(5.0);
    story.load("a", 4.0, 2.0);
    story.load("b", 3.0, 2.0);
    story.test("x", Some("a"), 3.0, json!({}));
    story.stop("a", 4.0);
    story.pass(2.0);
    story.stop("b", 3.0);
    story.pass(2.0);
    story.load("c", 1.0, 2.0);
    story.test("z", Some("c"), 3.0, json!({}));
    story.stop("c", 1.0);
    story.pass(4.0);
    let lives = of_kind(&story.found(), "model_life");
    let told = |name: &str| lives.iter().map(|life| life[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("model_delta_gb"), [json!(4.0), json!(3.0), json!(1.0)]);
    assert_eq!(told("peak_gb"), [Value::Null, Value::Null, json!(1.0)]);
    assert_eq!(told("not_returned_gb"), [Value::Null, Value::Null, json!(0.0)]);
}

#[test]
fn a_model_of_which_no_span_tells_is_found_in_the_samples() {
    let mut story = Story::new();
    story.machine.remove("tree_rss_gb");
    story.machine.insert("tree_rss_gb".into(), json!(0.05));
    story.test("without", None, 10.0, json!({}));
    story.take(6.0);
    story.test("server", None, 20.0, json!({}));
    story.take(-5.9);
    story.test("gone", None, 10.0, json!({}));
    let found = story.found();
    let life = &of_kind(&found, "model_life")[0];
    assert_eq!((&life["inferred"], &life["params"]), (&json!(true), &json!({})));
    assert_eq!((&life["model_delta_gb"], &life["not_returned_gb"]), (&json!(6.0), &json!(0.1)));
    assert_eq!(life["unnamed_tests"], json!(["server"]));
    let anomaly = &of_kind(&found, "anomaly")[0];
    assert_eq!(
        (&anomaly["kind"], &anomaly["tests"]),
        (&json!("unnamed_model"), &json!(["server"]))
    );
}

#[test]
fn an_inferred_life_bears_the_name_that_its_tests_agree_on() {
    let mut story = Story::new();
    story.pass(10.0);
    story.take(6.0);
    story.test("t", Some("m"), 20.0, json!({"model": {"id": "m", "size_gb": 5.5}}));
    story.take(-6.0);
    story.pass(10.0);
    let found = story.found();
    let life = &of_kind(&found, "model_life")[0];
    assert_eq!((&life["params"], &life["disk_gb"]), (&Story::params("m"), &json!(5.5)));
    assert_eq!((&life["tests"], of_kind(&found, "anomaly").len()), (&json!(["t"]), 0));
}
