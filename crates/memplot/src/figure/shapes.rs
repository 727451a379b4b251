//! Thresholds of memory and times of pressure.

use plotly::{
    common::DashType,
    layout::{Shape, ShapeLayer, ShapeLine, ShapeType},
};
use serde_json::{Value, json};

use super::{Clock, axes::Axes, curves::memory_gb, patch};
use crate::{
    bands::{Bands, Pressure},
    recording::Recording,
    rows::{ROWS, Scale, color},
};

/// Adds bands of pressure over all rows of curves, and the thresholds of the memory row.
pub(crate) fn add(
    layout: &mut Value,
    recording: &Recording,
    clock: Clock,
    bands: &Bands,
    axes: &Axes,
) {
    let mut shapes = pressure(clock, bands, axes);
    let mut names = Vec::new();
    // The row of memory is the first: where it is measured, its axis is the first.
    let mut memory = ROWS.iter().filter(|row| row.left == Scale::Memory).flat_map(|row| row.curves);
    let is_measured = memory.any(|curve| curve.is_measured(&recording.columns));
    if let (true, Some(total), Some(y)) = (is_measured, memory_gb(recording), axes.first()) {
        for (share, name) in [(2.0, "half"), (4.0, "a quarter")] {
            let name = format!("{name} of {total:.1} GB");
            shapes.push(threshold(total / share, &y));
            names.push(json!({
                "text": name, "showarrow": false, "xref": "paper", "x": 1, "xanchor": "right",
                "yref": y, "y": total / share, "yanchor": "bottom", "borderpad": 0,
                "font": { "size": 10, "color": color::GREY },
            }));
        }
    }
    if let Some(annotations) = layout["annotations"].as_array_mut() {
        annotations.append(&mut names);
    }
    patch(layout, json!({ "shapes": shapes }));
}

fn pressure(clock: Clock, bands: &Bands, axes: &Axes) -> Vec<Value> {
    let Some((bottom, top)) = axes.rows() else {
        return Vec::new();
    };
    let mut named = Vec::new();
    let shapes = bands.bands.iter().map(|band| {
        let (name, color, opacity, width) = match band.pressure {
            Pressure::Warn => ("pressure: warn", color::ORANGE, 0.16, 0.0),
            Pressure::Critical => ("pressure: critical", color::VERMILION, 0.26, 1.0),
        };
        let shape = Shape::new()
            .shape_type(ShapeType::Rect)
            .layer(ShapeLayer::Below)
            .x_ref("x")
            .x0(clock.ms(band.start))
            .x1(clock.ms(band.end))
            .y_ref("paper")
            .y0(bottom)
            .y1(top)
            .fill_color(color)
            .opacity(opacity)
            .line(ShapeLine::new().color(color).width(width));
        let mut shape = serde_json::to_value(shape).unwrap_or_default();
        // The first of a kind stands for it in the legend of the memory row.
        if !named.contains(&name) {
            named.push(name);
            let legend = axes.first_legend();
            patch(&mut shape, json!({ "showlegend": true, "name": name, "legend": legend }));
        }
        shape
    });
    shapes.collect()
}

fn threshold(gb: f64, y: &str) -> Value {
    let line = ShapeLine::new().color(color::GREY).width(1.0).dash(DashType::Dash);
    let shape = Shape::new()
        .shape_type(ShapeType::Line)
        .layer(ShapeLayer::Below)
        .x_ref("paper")
        .x0(0.0)
        .x1(1.0)
        .y_ref(y)
        .y0(gb)
        .y1(gb)
        .line(line);
    serde_json::to_value(shape).unwrap_or_default()
}
