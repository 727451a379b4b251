//! The curves of a row.

use plotly::{
    Scatter,
    common::{DashType, Fill, HoverInfo, Line, Mode, Visible},
    layout::Axis,
};
use records::round;
use serde_json::{Value, json};

use super::{Clock, axes::Axes, patch};
use crate::{
    columns::Columns,
    decimate,
    recording::Recording,
    rows::{Curve, Row, Scale, Style, TOTAL, Values},
};

/// How many points a row has and how many of them are drawn.
#[derive(Default)]
pub(crate) struct Points {
    pub(crate) drawn: usize,
    pub(crate) measured: usize,
}

/// Draws the curves of `row` that were measured.
pub(crate) fn row(
    row: &Row,
    recording: &Recording,
    clock: Clock,
    axes: &mut Axes,
    data: &mut Vec<Value>,
) -> Points {
    let columns = &recording.columns;
    let measured: Vec<&Curve> = row.curves.iter().filter(|c| c.is_measured(columns)).collect();
    let left = axes.strip(row.title, row.height, true, left_axis(row, &measured, recording));
    let mut points = Points::default();
    for curve in measured {
        let ids = if curve.right { &axes.right(right_axis(curve, columns), &left) } else { &left };
        let values = values(curve, columns);
        let picked = decimate::curve(&columns.times, &values);
        points.drawn += picked.drawn;
        points.measured += picked.measured;

        let decimals = records::series(curve.series()).map_or(3, |series| series.unit.decimals());
        let exact = |i: usize| round(f64::from(values[i]), decimals);
        let x = breaks(&picked.points, columns, clock);
        let y: Vec<Option<f64>> = picked.points.iter().map(|p| p.map(exact)).collect();
        let belongs = json!({ "yaxis": ids.y, "legend": left.legend, "legendgroup": curve.name });
        let broken = picked.points.contains(&None);
        let area = (curve.style == Style::Area && broken).then(|| area(curve, &x, &y));
        let mut line = scatter(row, curve, x, y);
        if let Some(area) = area {
            let mut area = serde_json::to_value(area).unwrap_or_default();
            patch(&mut area, belongs.clone());
            data.push(area);
            // Its area stands for it in the legend.
            line = line.show_legend(false);
        } else if curve.style == Style::Area {
            line = line.fill(Fill::ToZeroY).fill_color(curve.color);
        }
        let mut trace = serde_json::to_value(line).unwrap_or_default();
        patch(&mut trace, belongs);
        if let Values::Above(_, series) = curve.values
            && let Some(own) = columns.get(series)
        {
            // The line stands on another; what is read is its own value.
            let own = picked.points.iter().map(|p| p.map(|i| round(f64::from(own[i]), decimals)));
            patch(&mut trace, json!({ "customdata": own.collect::<Vec<_>>() }));
        }
        data.push(trace);
    }
    points
}

/// The times of `points`; a break stands right after the point before it.
fn breaks(points: &[Option<usize>], columns: &Columns, clock: Clock) -> Vec<Option<i64>> {
    let mut before = None;
    let times = points.iter().map(|point| {
        before = point.map(|i| clock.ms(columns.times[i])).or(before);
        before
    });
    times.collect()
}

fn values(curve: &Curve, columns: &Columns) -> Vec<f32> {
    let column = |name| columns.get(name).unwrap_or_default();
    match curve.values {
        Values::Of(series) | Values::IfAny(series) => column(series).to_vec(),
        // Not measured plus anything is not measured: NaN stays NaN.
        Values::Above(below, series) => {
            column(below).iter().zip(column(series)).map(|(a, b)| a + b).collect()
        }
    }
}

fn scatter(
    row: &Row,
    curve: &Curve,
    x: Vec<Option<i64>>,
    y: Vec<Option<f64>>,
) -> Box<Scatter<Option<i64>, Option<f64>>> {
    let dash = match curve.style {
        Style::Dash => DashType::Dash,
        Style::Dot => DashType::Dot,
        _ => DashType::Solid,
    };
    let width = if curve.style == Style::Area { 0.8 } else { 1.4 };
    let value = if matches!(curve.values, Values::Above(..)) { "customdata" } else { "y" };
    let trace = Scatter::new(x, y)
        .name(curve.name)
        .mode(Mode::Lines)
        .line(Line::new().color(curve.color).width(width).dash(dash))
        .hover_template(format!(
            "%{{{value}:,.{}f}}{}<extra>{}{}</extra>",
            curve.decimals, curve.unit, row.prefix, curve.name
        ));
    match curve.style {
        Style::Optional => trace.visible(Visible::LegendOnly),
        _ => trace,
    }
}

/// What is below the line of a curve. A fill runs on across a break in its line, so it
/// has a line of its own, unseen, which is at zero there.
fn area(
    curve: &Curve,
    x: &[Option<i64>],
    y: &[Option<f64>],
) -> Box<Scatter<Option<i64>, Option<f64>>> {
    let mut points: Vec<(Option<i64>, Option<f64>)> = Vec::with_capacity(x.len());
    for (i, (x_here, y_here)) in x.iter().zip(y).enumerate() {
        match y_here {
            Some(_) => points.push((*x_here, *y_here)),
            // A break stands where the point before it does; the next is beyond the gap.
            None => {
                points.extend([(*x_here, Some(0.0)), (x.get(i + 1).copied().flatten(), Some(0.0))])
            }
        }
    }
    let (x, y) = points.into_iter().unzip();
    Scatter::new(x, y)
        .mode(Mode::None)
        .fill(Fill::ToZeroY)
        .fill_color(curve.color)
        .name(curve.name)
        .hover_info(HoverInfo::Skip)
}

fn left_axis(row: &Row, measured: &[&Curve], recording: &Recording) -> Axis {
    let unit = measured.iter().find(|curve| !curve.right).map_or("", |curve| curve.unit);
    let axis = Axis::new().n_ticks(5).tick_suffix(unit);
    let greatest = || {
        let curves = measured.iter().filter(|curve| !curve.right);
        let most = curves.filter_map(|c| recording.columns.max(c.series()));
        f64::from(most.fold(0.0, f32::max))
    };
    match row.left {
        Scale::Percent => axis.range(vec![0.0, 101.0]).dtick(50.0),
        Scale::Memory => {
            let total = memory_gb(recording).unwrap_or_default();
            axis.range(vec![0.0, from_zero(total.max(greatest()))])
        }
        Scale::FromZero => axis.range(vec![0.0, from_zero(greatest())]),
    }
}

fn right_axis(curve: &Curve, columns: &Columns) -> Axis {
    // Not up to the top, where the row's other curves often lie.
    let most = f64::from(columns.max(curve.series()).unwrap_or_default());
    Axis::new()
        .range(vec![0.0, if most > 0.0 { most * 1.25 } else { 1.0 }])
        .n_ticks(4)
        .tick_suffix(curve.unit)
        .tick_font(plotly::common::Font::new().color(curve.color))
}

/// The end of an axis that has room above `most`.
fn from_zero(most: f64) -> f64 {
    if most > 0.0 { most * 1.03 } else { 1.0 }
}

/// The machine's memory in GB, if the stream says it.
pub(crate) fn memory_gb(recording: &Recording) -> Option<f64> {
    let machine = recording.machine.as_ref().and_then(|machine| machine.ram_total_gb);
    machine.or(recording.columns.max(TOTAL).map(f64::from)).filter(|gb| *gb > 0.0)
}
