//! Every table of a report as one JSON object.

use serde_json::{Map, Number, Value, json};

use super::{
    Page,
    sheet::{Datum, Sheet, sheets},
};

/// `page` as an object on several lines: `{"report": 1, "tables": {NAME: [ROW…]}}`. A row has
/// a field for each value that is known; numbers have their unit in the field's name.
#[must_use]
pub fn write(page: &Page) -> String {
    let sheets = sheets(page);
    let tables = sheets.iter().map(|sheet| (sheet.name.clone(), rows(sheet)));
    let report = json!({
        "report": 1,
        "generator": {"name": "reportgen", "version": env!("CARGO_PKG_VERSION")},
        "tables": tables.collect::<Map<String, Value>>(),
    });
    format!("{report:#}\n")
}

fn rows(sheet: &Sheet) -> Value {
    let row = |row: &Vec<Option<Datum>>| {
        let known = sheet.fields.iter().zip(row);
        let known =
            known.filter_map(|(field, datum)| Some((field.clone(), value(datum.as_ref()?))));
        Value::Object(known.collect())
    };
    sheet.rows.iter().map(row).collect()
}

fn value(datum: &Datum) -> Value {
    match datum {
        Datum::Text(text) => text.clone().into(),
        // Whole numbers below 2^53 are exact, and look like what they are.
        Datum::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => (*n as i64).into(),
        Datum::Number(n) => Number::from_f64(*n).map_or(Value::Null, Value::Number),
    }
}
