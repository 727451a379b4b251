//! The lanes of tests and of model loads.

use plotly::{
    Bar,
    common::{
        ConstrainText, Font, Line, Marker, Orientation, Pattern, PatternFillMode, PatternShape,
        TextAnchor, TextPosition,
    },
    layout::Axis,
};
use serde_json::{Value, json};

use super::{Clock, axes::Axes, axes::Ids, patch};
use crate::{
    case::{Case, Load},
    lane::{self, Class, letter},
    recording::Recording,
    rows::color,
    words::{duration, plain, shortened, wrapped},
};

/// Pixels of a row of bars.
const HEIGHT: f64 = 27.0;
/// Characters of a line of the hover box.
const WIDTH: usize = 60;
/// Characters of a name in its bar.
const TEXT: usize = 40;

/// A test or a load as a bar: what is drawn, and what is read.
struct Block {
    start: f64,
    end: f64,
    row: usize,
    /// Neighbours differ, so that one is told from the next.
    opacity: f64,
    text: String,
    hover: String,
}

/// Draws both lanes, as far as there is something in them; how many bars that are.
pub(crate) fn lanes(
    recording: &Recording,
    clock: Clock,
    axes: &mut Axes,
    data: &mut Vec<Value>,
) -> usize {
    let cases = &recording.cases;
    if !cases.is_empty() {
        let places = places(cases.iter().map(|case| (case.start, case.end)));
        let ids = lane_axis("Tests", &places, axes);
        for class in Class::ALL {
            let bars = cases.iter().zip(&places).filter(|(case, _)| Class::of(case) == class);
            let bars: Vec<Block> = bars.map(|(case, place)| of_case(case, *place)).collect();
            if !bars.is_empty() {
                data.push(trace(&bars, class.name(), look(class), clock, &ids));
            }
        }
    }
    let mut loads: Vec<&Load> = recording.loads.iter().collect();
    loads.sort_by(|a, b| a.start.total_cmp(&b.start));
    if !loads.is_empty() {
        let places = places(loads.iter().map(|load| (load.start, load.end)));
        let ids = lane_axis("Model loads", &places, axes);
        let bars: Vec<Block> =
            loads.iter().zip(&places).map(|(load, place)| of_load(load, *place)).collect();
        let marker =
            Marker::new().color(color::GREEN).line(Line::new().color(color::GREEN).width(1.0));
        let mut trace = trace(&bars, "load", marker, clock, &ids);
        patch(&mut trace, json!({ "showlegend": false }));
        data.push(trace);
    }
    cases.len() + loads.len()
}

/// The row of a bar, and whether it is an even one there.
type Place = (usize, bool);

fn places(bars: impl Iterator<Item = (f64, f64)>) -> Vec<Place> {
    let mut even = Vec::new();
    let rows = lane::rows(bars).into_iter().map(|row| {
        even.resize(even.len().max(row + 1), false);
        even[row] = !even[row];
        (row, even[row])
    });
    rows.collect()
}

fn lane_axis(title: &str, places: &[Place], axes: &mut Axes) -> Ids {
    let count = places.iter().map(|(row, _)| row + 1).max().unwrap_or(1);
    // Many rows get less room each: the curves below are the matter.
    let height = HEIGHT * (count as f64).min(4.0) + 14.0 * (count as f64 - 4.0).max(0.0);
    let axis =
        Axis::new().range(vec![count as f64 - 0.5, -0.5]).show_tick_labels(false).show_grid(false);
    axes.strip(title, height, false, axis)
}

fn of_case(case: &Case, place: Place) -> Block {
    let on = [&case.model, &case.backend].into_iter().flatten().map(String::as_str);
    let on = on.collect::<Vec<_>>().join(" on ");
    let took = case.duration.map_or_else(|| "duration not measured".to_owned(), duration);
    let figures = [
        case.tree_gb.map(|gb| format!("tree peak {gb:.2} GB")),
        case.free_gb.map(|gb| format!("least free {gb:.2} GB")),
        case.gpu_pct.map(|pct| format!("GPU up to {pct:.0} %")),
    ];
    let mut lines = vec![
        wrapped(&case.id, WIDTH),
        format!("<b>{}</b>, {took}", case.outcome.name()),
        wrapped(&on, WIDTH),
        figures.into_iter().flatten().collect::<Vec<_>>().join(", "),
    ];
    lines.extend(case.reason.as_ref().map(|reason| wrapped(&shortened(reason, 240), WIDTH)));
    lines.retain(|line| !line.is_empty());
    Block {
        start: case.start,
        end: case.end,
        row: place.0,
        opacity: if place.1 { 1.0 } else { 0.72 },
        text: plain(&shortened(&format!("{}{}", letter(case.outcome), case.name), TEXT)),
        hover: lines.join("<br>"),
    }
}

fn of_load(load: &Load, place: Place) -> Block {
    let cache = load.page_cache.as_ref().map(|state| format!("page cache {state}"));
    let parts = [Some(duration(load.duration)), load.backend.clone(), cache];
    let about = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let mut lines = vec![wrapped(&load.name, WIDTH), wrapped(&about, WIDTH)];
    lines.extend(load.error.as_ref().map(|error| wrapped(&shortened(error, 240), WIDTH)));
    let letter = if load.error.is_some() { "E " } else { "" };
    Block {
        start: load.start,
        end: load.end,
        row: place.0,
        opacity: if place.1 { 1.0 } else { 0.72 },
        text: plain(&shortened(&format!("{letter}{}", load.name), TEXT)),
        hover: lines.join("<br>"),
    }
}

/// Colour and pattern of a class: either tells it from the others.
fn look(class: Class) -> Marker {
    let (color, shape) = match class {
        Class::WithModel => (color::BLUE, PatternShape::None),
        Class::WithoutModel => (color::SKY, PatternShape::None),
        Class::Failed => (color::VERMILION, PatternShape::DiagonalCross),
        Class::Error => (color::PURPLE, PatternShape::LeftDiagonalLine),
        Class::Skipped => (color::GREY, PatternShape::Dot),
    };
    // The outline is a pixel wide at any zoom: no bar is ever too short to be seen.
    let pattern = Pattern::new()
        .shape(shape)
        .fill_mode(PatternFillMode::Overlay)
        .foreground_color("#FFFFFF")
        .foreground_opacity(0.55)
        .size(7.0)
        .solidity(0.2);
    Marker::new().color(color).line(Line::new().color(color).width(1.0)).pattern(pattern)
}

fn trace(bars: &[Block], name: &str, marker: Marker, clock: Clock, ids: &Ids) -> Value {
    let starts: Vec<i64> = bars.iter().map(|bar| clock.ms(bar.start)).collect();
    // True lengths, however short: the outline of a pixel keeps every bar in sight.
    let lengths = bars.iter().zip(&starts).map(|(bar, start)| clock.ms(bar.end) - start);
    let trace = Bar::new(lengths.collect(), bars.iter().map(|bar| bar.row).collect())
        .name(name)
        .orientation(Orientation::Horizontal)
        .width(0.84)
        .marker(marker)
        .text_array(bars.iter().map(|bar| bar.text.clone()).collect())
        .text_position(TextPosition::Inside)
        .inside_text_anchor(TextAnchor::Start)
        .constrain_text(ConstrainText::Inside)
        .text_angle(0.0)
        .inside_text_font(Font::new().size(11))
        .hover_template("%{customdata}<extra></extra>");
    let mut trace = serde_json::to_value(trace).unwrap_or_default();
    let hovers: Vec<&str> = bars.iter().map(|bar| bar.hover.as_str()).collect();
    patch(
        &mut trace,
        json!({
            "base": starts, "customdata": hovers, "yaxis": ids.y, "legend": ids.legend,
            "marker": { "opacity": bars.iter().map(|bar| bar.opacity).collect::<Vec<_>>() },
        }),
    );
    trace
}
