//! The picture of `docs/benchmarks.md`: events a second of a bare parse, Watchkeep and RSigma, for each corpus.

use std::fmt::Write as _;

use crate::bench::engine::Bars;

const WIDTH: f64 = 760.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 150.0;
const LONGEST: f64 = 480.0;
const BAR: f64 = 18.0;
const GROUP: f64 = 104.0;
const TOP: f64 = 44.0;

/// An SVG that is readable on light and on dark ground.
pub fn svg(bars: &[Bars]) -> String {
    let height = TOP + GROUP * bars.len() as f64;
    let most = bars.iter().map(|bars| rate(bars.parse)).fold(1.0, f64::max);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Events a second on one core: {}\">\n{STYLE}\
         <text class=\"title\" x=\"0\" y=\"18\">Events a second on one core, all rules of SigmaHQ, parse included</text>\n",
        alternative(bars)
    );
    for (at, bars) in bars.iter().enumerate() {
        let y = TOP + GROUP * at as f64;
        writeln!(text, "<text class=\"group\" x=\"0\" y=\"{}\">{}</text>", y + 14.0, bars.corpus)
            .expect("a string takes text");
        let rows = [("bare parse", "parse", bars.parse), ("Watchkeep", "own", bars.own), ("RSigma", "peer", bars.peer)];
        for (row, (name, class, micros)) in rows.into_iter().enumerate() {
            bar(&mut text, y + 22.0 + (BAR + 5.0) * row as f64, name, class, rate(micros), most);
        }
    }
    text.push_str("</svg>\n");
    text
}

const STYLE: &str = "<style>\n\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }\n\
    .title { font-weight: 600 }\n.group { font-weight: 600 }\n\
    .parse { fill: #afb8c1 }\n.own { fill: #0969da }\n.peer { fill: #bf8700 }\n\
    @media (prefers-color-scheme: dark) {\n\
    text { fill: #e6edf3 }\n.parse { fill: #6e7681 }\n.own { fill: #58a6ff }\n.peer { fill: #d29922 }\n}\n</style>\n";

fn bar(text: &mut String, y: f64, name: &str, class: &str, rate: f64, most: f64) {
    let width = (LONGEST * rate / most).max(1.0);
    let middle = y + 13.5;
    writeln!(text, "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>", LEFT - 10.0)
        .expect("a string takes text");
    writeln!(text, "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>")
        .expect("a string takes text");
    writeln!(text, "<text x=\"{:.1}\" y=\"{middle}\">{}</text>", LEFT + width + 8.0, thousands(rate))
        .expect("a string takes text");
}

/// Events a second at so many microseconds each.
fn rate(micros: f64) -> f64 {
    1e6 / micros
}

fn thousands(rate: f64) -> String {
    let number = rate.round() as u64;
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

/// The numbers in words, for who cannot see the picture.
fn alternative(bars: &[Bars]) -> String {
    let of = |bars: &Bars| {
        let [parse, own, peer] = [bars.parse, bars.own, bars.peer].map(|micros| thousands(rate(micros)));
        format!("{}: bare parse {parse}, Watchkeep {own}, RSigma {peer}", bars.corpus)
    };
    bars.iter().map(of).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_fastest_and_the_numbers_stand_in_words_too() {
        let svg = svg(&[Bars { corpus: "CloudTrail", parse: 1.25, own: 2.5, peer: 25.0 }]);
        assert!(svg.contains("CloudTrail: bare parse 800,000, Watchkeep 400,000, RSigma 40,000"), "{svg}");
        assert!(svg.contains("width=\"480.0\"") && svg.contains("width=\"240.0\"") && svg.contains("width=\"24.0\""));
    }
}
