//! Curves in a line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws values as bars from the lowest to the highest of them, in at most
/// `width` columns; more values than that are averaged. What is no number is a
/// blank.
pub(crate) fn sparkline(values: &[f64], width: usize) -> String {
    let columns = values.len().min(width);
    let mean = |column: usize| {
        let from = column * values.len() / columns;
        let to = (column + 1) * values.len() / columns;
        let bucket = &values[from..to];
        bucket.iter().sum::<f64>() / bucket.len() as f64
    };
    let means: Vec<_> = (0..columns).map(mean).collect();
    let finite = || means.iter().copied().filter(|mean| mean.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let bar = |mean: &f64| {
        if !mean.is_finite() {
            return ' ';
        }
        let share = if high > low {
            (mean - low) / (high - low)
        } else {
            0.5
        };
        BARS[((share * 8.0) as usize).min(7)]
    };
    means.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_drawn() {
        assert_eq!(sparkline(&[], 10), "");
        assert_eq!(sparkline(&[1.0], 10), "▅");
        assert_eq!(sparkline(&[2.0, 2.0, 2.0], 10), "▅▅▅");
        assert_eq!(
            sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 10),
            "▁▂▃▄▅▆▇█"
        );
        assert_eq!(sparkline(&[8.0, 8.0, 4.0, 4.0, 0.0, 0.0], 3), "█▅▁");
        assert_eq!(sparkline(&[1.0, f64::NAN, 2.0], 3), "▁ █");
        let long: Vec<_> = (0..1001).map(f64::from).collect();
        assert_eq!(sparkline(&long, 16).chars().count(), 16);
    }
}
