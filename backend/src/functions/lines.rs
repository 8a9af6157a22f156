//! Functions that draw a level line: one value of a whole series, the same at each moment.

use super::aggregate::{Aggregate, percentile};
use super::call::Call;
use super::format::{general, plain};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["nPercentile"],
        group: "Calculate",
        parameters: &[SERIES, Param::needed("n", ParamKind::Float)],
        about: "The value that so many percent of a series' values do not exceed. Series without values are left out.",
        run: n_percentile,
    },
    Function {
        names: &["aggregateLine"],
        group: "Calculate",
        parameters: &[
            SERIES,
            Param::optional("func", ParamKind::AggFunc),
            Param::optional("keepStep", ParamKind::Boolean),
        ],
        about: "All values of a series put together, by their mean unless another way is named: at three moments of the range, or at each of the series.",
        run: aggregate_line,
    },
];

fn n_percentile(call: &Call<'_>) -> Answer {
    let percent = call.number(1)?.filter(|percent| *percent > 0.0 && *percent <= 100.0);
    let percent = percent.ok_or_else(|| call.wrong("`n` must be above 0 and at most 100"))?;
    let one = |series: Series| {
        let value = percentile(&series.values, percent, false);
        let count = ((series.end - series.start) / series.step).max(0) as usize;
        let title = format!("nPercentile({}, {})", series.name, general(percent));
        series.tagged("nPercentile", plain(percent)).wrapped(title).with_values(vec![value; count])
    };
    let series = call.series(0)?.into_iter();
    Ok(series.filter(|series| series.known().next().is_some()).map(one).collect())
}

fn aggregate_line(call: &Call<'_>) -> Answer {
    let name = call.text(1)?.unwrap_or_else(|| "average".to_owned());
    let by = Aggregate::of(call, &name)?;
    let keeps_step = call.truth(2)?.unwrap_or(false);
    let (from, until) = (call.context.from, call.context.until);
    let one = |series: Series| {
        let value = match by.apply(&series.values) {
            // Of nothing that is known there are none, and nulls that count as zero are zero together.
            value if value.is_nan() && matches!(by, Aggregate::Count | Aggregate::AvgZero) => 0.0,
            value => value,
        };
        let known = !value.is_nan();
        let written = if known { general(value) } else { "None".to_owned() };
        let title = format!("aggregateLine({}, {written})", series.name);
        if keeps_step {
            let values = vec![value; series.values.len()];
            return series.wrapped(title).with_values(values);
        }
        let in_tag = match by {
            _ if !known => written,
            Aggregate::Count => written,
            _ => plain(value),
        };
        let mut line = Series::new(in_tag, from, ((until - from) / 2).max(1), vec![value; 3]);
        line.end = until;
        line.x_files_factor = call.context.x_files_factor.unwrap_or(0.0);
        line.wrapped(title)
    };
    Ok(call.series(0)?.into_iter().map(one).collect())
}
