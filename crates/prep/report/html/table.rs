//! Tables, with bars in them where that helps.

use super::{Html, markup};

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Words; the first column names its row.
    Words,
    /// Numbers, at the right.
    Numbers,
}

/// Makes a table. Each row has as many cells as there are columns, and its
/// first cell is its head.
pub(crate) fn table(caption: &str, columns: &[(&str, Column)], rows: Vec<Vec<Html>>) -> Html {
    let class = |column: Column| match column {
        Column::Words => "words",
        Column::Numbers => "number",
    };
    let head: Html = columns
        .iter()
        .map(|(name, column)| {
            let class = class(*column);
            markup!("<th scope=\"col\" class=\"{}\">{}</th>", class, *name)
        })
        .collect();
    let row = |cells: Vec<Html>| -> Html {
        let cells = cells.into_iter().zip(columns).enumerate();
        let cells: Html = cells
            .map(|(n, (cell, (_, column)))| {
                let class = class(*column);
                match n {
                    0 => markup!("<th scope=\"row\" class=\"{}\">{}</th>", class, cell),
                    _ => markup!("<td class=\"{}\">{}</td>", class, cell),
                }
            })
            .collect();
        markup!("<tr>{}</tr>\n", cells)
    };
    let rows: Html = rows.into_iter().map(row).collect();
    markup!(
        "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">\n<table>\n\
         <caption>{0}</caption>\n<thead><tr>{1}</tr></thead>\n<tbody>\n{2}</tbody>\n</table>\n</div>\n",
        caption,
        head,
        rows
    )
}

/// A bar that stands for a share; what it says is said beside it.
pub(crate) fn bar(n: u64, most: u64) -> Html {
    let percent = match most {
        0 => 0.0,
        most => (n as f64 / most as f64 * 100.0).clamp(0.0, 100.0),
    };
    Html::made(format!(
        "<svg class=\"bar\" width=\"100%\" height=\"12\" aria-hidden=\"true\"><rect width=\"{percent:.1}%\" height=\"12\" rx=\"2\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_its_rows_and_columns() {
        let rows = vec![vec![markup!("{}", "a<b"), markup!("{}", 3_u64)]];
        let columns = [("Rule", Column::Words), ("Times", Column::Numbers)];
        let table = table("Found", &columns, rows).into_string();
        assert!(table.contains("<caption>Found</caption>"));
        assert!(table.contains("<th scope=\"col\" class=\"number\">Times</th>"));
        assert!(
            table.contains(
                "<th scope=\"row\" class=\"words\">a&lt;b</th><td class=\"number\">3</td>"
            )
        );
        assert!(bar(1, 4).into_string().contains("width=\"25.0%\""));
    }
}
