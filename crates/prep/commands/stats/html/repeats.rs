//! Examples that repeat each other: in numbers, in clusters, side by side.

use prep_data::pipeline::stats::{Cluster, Shown};
use prep_data::rules::Speaker;

use super::examples::who;
use crate::commands::stats::{Dataset, NEAR, Report, share};
use crate::report::html::compared::marked;
use crate::report::html::table::{Column, table};
use crate::report::html::{Html, Section, data, data_block_of, details, markup};
use crate::ui;

impl Report<'_> {
    /// The section of what repeats itself.
    pub(super) fn repeats(&self) -> Section {
        Section {
            id: "repeats",
            name: "Repeats",
            heading: markup!("What repeats itself"),
            body: self.each(|set| markup!("{}{}{}", numbers(set), clusters(set), pairs(set))),
        }
    }
}

fn numbers(set: &Dataset) -> Html {
    let stats = &set.stats;
    let duplicates = &stats.duplicates;
    let mut rows = vec![
        (
            "The same as an earlier one, byte for byte",
            duplicates.exact,
        ),
        (
            "The same but for case, white space, quotes and dashes",
            duplicates.normalised,
        ),
    ];
    if let Some(near) = &stats.near {
        rows.push(("Nearly the same", near.examples));
    }
    let rows = rows.into_iter().map(|(name, n)| {
        vec![
            markup!("{}", name),
            markup!("{}", n),
            markup!("{}", share(n, stats.examples)),
        ]
    });
    let columns = [
        ("Examples", Column::Words),
        ("Number", Column::Numbers),
        ("Share", Column::Numbers),
    ];
    let table = table(
        "Examples that dedupe would leave out",
        &columns,
        rows.collect(),
    );
    let conflicts = match duplicates.conflicting_prompts {
        0 => "No prompt has several answers.".to_owned(),
        1 => "One prompt has several answers.".to_owned(),
        n => format!("{} prompts have several answers.", ui::count(n)),
    };
    markup!("{}<p>{}</p>\n", table, conflicts)
}

fn clusters(set: &Dataset) -> Html {
    let clusters = &set.stats.duplicates.largest;
    if clusters.is_empty() {
        return Html::new();
    }
    let all = set.stats.duplicates.clusters;
    let heading = match all > clusters.len() as u64 {
        true => format!("The largest of {} clusters", ui::count(all)),
        false => format!("All {}", ui::of(all, "cluster")),
    };
    let shown: Html = clusters.iter().map(|one| cluster(set, one)).collect();
    markup!("<h3>{}</h3>\n{}", heading, shown)
}

fn cluster(set: &Dataset, cluster: &Cluster) -> Html {
    let members = cluster.places.iter();
    let members: Vec<_> = members
        .filter_map(|place| set.stats.shown_at(*place))
        .collect();
    let Some(first) = members.first() else {
        return Html::new();
    };
    // Members that read the same are shown once.
    let mut variants: Vec<&Shown> = Vec::new();
    for member in &members {
        if !variants.iter().any(|known| known.texts == member.texts) {
            variants.push(member);
        }
    }
    let texts: Html = variants
        .iter()
        .map(|variant| {
            markup!(
                "<h4>{}</h4>\n{}",
                data(&set.place(variant.place)),
                said(variant)
            )
        })
        .collect();
    let places: Vec<_> = cluster
        .places
        .iter()
        .map(|place| set.place(*place))
        .collect();
    let more = match cluster.examples > places.len() as u64 {
        true => ", …",
        false => "",
    };
    let body = markup!(
        "<p class=\"quiet\">{}{}</p>\n{}",
        data(&places.join(", ")),
        more,
        texts
    );
    let kind = match cluster.normalised {
        0 => String::new(),
        n => format!(", {} written in another way", ui::count(n)),
    };
    let begin = first
        .texts
        .iter()
        .find(|text| text.speaker == Speaker::User);
    let begin: String = begin.map_or_else(String::new, |text| text.text.chars().take(60).collect());
    let times = ui::count(cluster.examples);
    details(
        &format!("{times} times{kind}: {}", begin.replace('\n', " ")),
        &body,
    )
}

/// The texts of an example.
fn said(shown: &Shown) -> Html {
    let text = |text: &prep_data::pipeline::stats::ShownText| {
        let more = if text.is_cut { " …" } else { "" };
        markup!(
            "<div class=\"said\"><span class=\"who\">{}</span>\n{}</div>\n",
            who(text.speaker),
            data_block_of(&format!("{}{more}", text.text))
        )
    };
    shown.texts.iter().map(text).collect()
}

fn pairs(set: &Dataset) -> Html {
    let Some(near) = set.stats.near.as_ref().filter(|near| near.examples > 0) else {
        return Html::new();
    };
    let shown: Html = near
        .least_similar
        .iter()
        .filter_map(|pair| {
            let kept = set.stats.shown_at(pair.kept)?;
            let dropped = set.stats.shown_at(pair.dropped)?;
            Some(twins(set, kept, dropped, pair.similarity))
        })
        .collect();
    markup!(
        "<h3>Near-duplicates side by side</h3>\n<p class=\"quiet\">The least similar of {}, from a similarity of {} on: \
         if these are the same to you, the others are. What only one has is marked.</p>\n{}",
        ui::of(near.examples, "example"),
        Html::made(NEAR.to_string()),
        shown
    )
}

fn twins(set: &Dataset, kept: &Shown, dropped: &Shown, similarity: f32) -> Html {
    let of = |shown: &Shown, speaker| {
        let texts = shown.texts.iter().filter(|text| text.speaker == speaker);
        texts.map(|text| &*text.text).collect::<Vec<_>>().join("\n")
    };
    let mut sides = [Html::new(), Html::new()];
    for speaker in [Speaker::System, Speaker::User, Speaker::Model] {
        let (one, other) = (of(kept, speaker), of(dropped, speaker));
        if one.is_empty() && other.is_empty() {
            continue;
        }
        let (one, other) = marked(&one, &other);
        for (side, text) in sides.iter_mut().zip([one, other]) {
            side.push(&markup!(
                "<div class=\"said\"><span class=\"who\">{}</span>\n{}</div>\n",
                who(speaker),
                text
            ));
        }
    }
    let [one, other] = sides;
    markup!(
        "<div class=\"twins\">\n<p class=\"quiet\">Similarity {}</p>\n<div class=\"sides\">\n\
         <div>\n<h4>{}</h4>\n{}</div>\n<div>\n<h4>{}</h4>\n{}</div>\n</div>\n</div>\n",
        Html::made(format!("{similarity:.2}")),
        data(&set.place(kept.place)),
        one,
        data(&set.place(dropped.place)),
        other
    )
}
