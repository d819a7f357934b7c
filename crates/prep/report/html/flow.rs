//! What became of examples from step to step, as ribbons.
//!
//! A node is a dataset, as high as it has examples; a ribbon leads from it to
//! what was made of it, and what was left out on the way falls below.

use std::fmt::Write as _;

use super::{Html, markup};
use crate::ui;

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// What made it.
    pub(crate) by: String,
    /// How many examples or records it has.
    pub(crate) examples: u64,
    /// How many steps lead to it, from 0.
    pub(crate) depth: usize,
}

/// What was made of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ribbon {
    /// The nodes, by their places.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) examples: u64,
}

/// What was left out of a node on the way to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) from: usize,
    /// Why, such as `D001`.
    pub(crate) name: String,
    pub(crate) examples: u64,
}

/// The whole of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) nodes: Vec<Node>,
    pub(crate) ribbons: Vec<Ribbon>,
    pub(crate) losses: Vec<Loss>,
}

const COLUMN: f64 = 250.0;
const NODE: f64 = 12.0;
/// How high the largest column is, without its gaps.
const TALL: f64 = 150.0;
const GAP: f64 = 58.0;
const TOP: f64 = 44.0;
/// The room below for what was left out.
const BELOW: f64 = 64.0;

/// Where a node stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: f64,
    y: f64,
    height: f64,
    /// How much of its right side has a ribbon already, and of its left side.
    used: [f64; 2],
}

impl Flow {
    /// Draws it.
    pub(crate) fn to_html(&self, title: &str, description: &str) -> Html {
        let n_columns = self
            .nodes
            .iter()
            .map(|node| node.depth + 1)
            .max()
            .unwrap_or(0);
        if n_columns == 0 {
            return Html::new();
        }
        let total = |depth: usize| -> u64 {
            let nodes = self.nodes.iter().filter(|node| node.depth == depth);
            nodes.map(|node| node.examples).sum()
        };
        let most = (0..n_columns).map(total).max().unwrap_or(0).max(1);
        let scale = TALL / most as f64;
        let mut places = self.places(n_columns, scale);
        let height = places
            .iter()
            .map(|place| place.y + place.height)
            .fold(0.0, f64::max)
            + BELOW;
        let width = COLUMN * (n_columns - 1) as f64 + 220.0;
        let mut svg = String::new();
        for ribbon in &self.ribbons {
            let thick = (ribbon.examples as f64 * scale).max(1.0);
            let start = places[ribbon.from].take(0, thick);
            let end = places[ribbon.to].take(1, thick);
            let (x0, x1) = (places[ribbon.from].x + NODE, places[ribbon.to].x);
            let middle = f64::midpoint(x0, x1);
            let _ = writeln!(
                svg,
                "<path class=\"ribbon\" d=\"M{x0} {start:.1}C{middle} {start:.1} {middle} {end:.1} {x1} {end:.1}\
                 v{thick:.1}C{middle} {:.1} {middle} {:.1} {x0} {:.1}z\"><title>{}</title></path>",
                end + thick,
                start + thick,
                start + thick,
                ui::of(ribbon.examples, "example"),
            );
        }
        self.draw_losses(&mut places, scale, &mut svg);
        for (node, place) in self.nodes.iter().zip(&places) {
            let Place { x, y, height, .. } = place;
            let _ = writeln!(
                svg,
                "<rect class=\"node\" x=\"{x}\" y=\"{y:.1}\" width=\"{NODE}\" height=\"{height:.1}\" rx=\"2\"/>\
                 <text class=\"name\" x=\"{x}\" y=\"{:.1}\">{}</text>\
                 <text class=\"tick\" x=\"{x}\" y=\"{:.1}\">{}</text>",
                y - 22.0,
                markup!("{}", shortened(&node.name)),
                y - 7.0,
                markup!("{} · {}", node.examples, node.by),
            );
        }
        Html::made(format!(
            "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\">\n<svg role=\"img\" class=\"flow\" viewBox=\"0 0 {width} {height:.0}\" width=\"{width}\" height=\"{height:.0}\" aria-label=\"{0}. {1}\">\n\
             <title>{0}</title><desc>{1}</desc>\n{svg}</svg>\n</div>\n",
            markup!("{}", title),
            markup!("{}", description),
        ))
    }

    fn places(&self, n_columns: usize, scale: f64) -> Vec<Place> {
        let mut below = vec![TOP; n_columns];
        self.nodes
            .iter()
            .map(|node| {
                let height = (node.examples as f64 * scale).max(2.0);
                let y = below[node.depth];
                below[node.depth] += height + GAP;
                Place {
                    x: node.depth as f64 * COLUMN,
                    y,
                    height,
                    used: [0.0; 2],
                }
            })
            .collect()
    }

    /// What was left out of a node falls from its lower right.
    fn draw_losses(&self, places: &mut [Place], scale: f64, svg: &mut String) {
        for (n, place) in places.iter_mut().enumerate() {
            let losses = self.losses.iter().filter(|loss| loss.from == n);
            let losses: Vec<_> = losses.collect();
            let examples: u64 = losses.iter().map(|loss| loss.examples).sum();
            if examples == 0 {
                continue;
            }
            let thick = (examples as f64 * scale).max(1.5);
            let start = place.take(0, thick);
            let x = place.x + NODE;
            let bottom = place.y + place.height + 22.0;
            let (turn, end) = (x + 26.0, x + 26.0 + thick);
            let named: Vec<_> = losses
                .iter()
                .map(|loss| format!("{} {}", loss.name, ui::count(loss.examples)))
                .collect();
            let _ = writeln!(
                svg,
                "<path class=\"loss\" d=\"M{x} {start:.1}C{end:.1} {start:.1} {end:.1} {start:.1} {end:.1} {bottom:.1}\
                 h-{thick:.1}C{turn:.1} {:.1} {turn:.1} {:.1} {x} {:.1}z\"><title>{}</title></path>\
                 <text class=\"tick\" x=\"{x}\" dx=\"14\" y=\"{:.1}\">− {}</text>",
                start + thick,
                start + thick,
                start + thick,
                markup!("left out: {}", named.join(", ")),
                bottom + 16.0,
                markup!("{}", named.join(", ")),
            );
        }
    }
}

impl Place {
    /// Takes room on the right (0) or left (1) side, and says where it begins.
    fn take(&mut self, side: usize, thick: f64) -> f64 {
        let start = self.y + self.used[side];
        self.used[side] += thick;
        start
    }
}

/// The end of a long name, which tells most.
fn shortened(name: &str) -> String {
    const CHARS: usize = 30;
    let n = name.chars().count();
    if n <= CHARS {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(n - CHARS + 1).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_falls_off() {
        let node = |name: &str, examples, depth| Node {
            name: name.into(),
            by: "convert".into(),
            examples,
            depth,
        };
        let flow = Flow {
            nodes: vec![node("<a>.csv", 100, 0), node("train.jsonl", 90, 1)],
            ribbons: vec![Ribbon {
                from: 0,
                to: 1,
                examples: 90,
            }],
            losses: vec![Loss {
                from: 0,
                name: "S009".into(),
                examples: 10,
            }],
        };
        let svg = flow.to_html("Flow", "From 100 to 90").into_string();
        assert!(svg.contains("&lt;a&gt;.csv"));
        assert!(svg.contains("− S009 10"));
        assert_eq!(svg.matches("class=\"ribbon\"").count(), 1);
        // 90 of 100 on a node that is 150 high.
        assert!(svg.contains("v135.0C"), "{svg}");
        assert!(Flow::default().to_html("", "").is_empty());
    }
}
