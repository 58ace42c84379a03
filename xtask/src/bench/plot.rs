//! The times of cells as a picture: SVG that can be read on light and on dark ground.

use std::{fmt::Write, time::Duration};

use super::{
    report::{Bar, Kind, Panel, Report, Time},
    timing::{Spread, ms, ratio, show},
};

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 24.0;
/// Where the names of the bars end, and where the bars begin.
const NAMES: f64 = 176.0;
const BARS: f64 = 188.0;
/// As far as the longest whisker goes. Beyond it is room for a figure.
const BARS_END: f64 = 584.0;
const ROW: f64 = 25.0;
const THICK: f64 = 15.0;
const BETWEEN_GROUPS: f64 = 9.0;
const LINE: f64 = 18.0;

/// Colours are written out for each ground: not every reader of SVG knows CSS variables.
const STYLE: &str = r#"<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, "DejaVu Sans", sans-serif; fill: #1f2328 }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.title { font-size: 15px; font-weight: 600 }
.soft { fill: #59636e }
.small { font-size: 11.5px; fill: #59636e }
.grid { stroke: #e4e8ec; stroke-width: 1 }
.base { stroke: #9aa4ae; stroke-width: 1 }
.bare { fill: #a3adb8 }
.warm { fill: #d9822b }
.cold { fill: #5b9bd5 }
.whisker { stroke: #1f2328; stroke-width: 1.3; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #0d1117; stroke: #30363d }
.soft, .small { fill: #9aa5b1 }
.grid { stroke: #21262d }
.base { stroke: #6e7681 }
.bare { fill: #6e7681 }
.warm { fill: #e0943f }
.cold { fill: #3f7fb8 }
.whisker { stroke: #e6edf3 }
}
</style>
"#;

/// Draws the times that have a place in the plot.
pub(super) fn svg(report: &Report) -> String {
    let mut drawing = Drawing::default();
    drawing.panel(
        report,
        Panel::Seabios,
        "A cell on SeaBIOS, from the start of QEMU to the written evidence",
    );
    drawing.panel(
        report,
        Panel::Ovmf,
        "A cell on OVMF, by how the disc hangs on the machine",
    );
    drawing.y -= 6.0;
    let runs = report.times.iter().filter(|time| time.bar.is_some());
    let runs = runs.map(|time| time.spread.runs);
    let (few, many) = (runs.clone().min(), runs.max());
    let median = match (few, many) {
        (Some(few), Some(many)) if few < many => format!("Medians of {few} to {many} runs"),
        (_, Some(runs)) if runs > 1 => format!("Medians of {runs} runs"),
        _ => "Single runs".to_owned(),
    };
    drawing.caption(&format!(
        "{median}, taken in turn; a whisker spans the shortest and the longest."
    ));
    drawing.caption("Warm: from a checkpoint. Cold: from power-on.");
    for line in report.host.describe() {
        drawing.caption(&line);
    }
    let height = drawing.y + MARGIN - LINE + 4.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">How long a cell of boot-matrix takes</title>\n{STYLE}\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n{}</svg>\n",
        WIDTH - 1.0,
        height - 1.0,
        drawing.body
    )
}

struct Drawing {
    body: String,
    /// How far down it goes.
    y: f64,
}

impl Default for Drawing {
    fn default() -> Self {
        Self {
            body: String::new(),
            y: MARGIN + 12.0,
        }
    }
}

impl Drawing {
    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, class: &str, text: &str) {
        let text = escape(text);
        self.element(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        ));
    }

    fn line(&mut self, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
        self.element(format_args!(
            "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>"
        ));
    }

    fn caption(&mut self, text: &str) {
        self.text(MARGIN, self.y, "start", "small", text);
        self.y += LINE;
    }

    fn panel(&mut self, report: &Report, panel: Panel, title: &str) {
        let bars: Vec<(&Bar, Spread)> = report
            .times
            .iter()
            .filter_map(|Time { bar, spread, .. }| Some((bar.as_ref()?, *spread)))
            .filter(|(bar, _)| bar.panel == panel)
            .collect();
        let Some(longest) = bars.iter().map(|(_, spread)| spread.most).max() else {
            return;
        };
        let x = |time: Duration| BARS + (BARS_END - BARS) * ratio(time, longest);
        self.text(MARGIN, self.y, "start", "title", title);
        let top = self.y + 14.0;

        // The grid comes first, so that bars lie on it, and its height is known only from the bars.
        let groups = bars
            .windows(2)
            .filter(|pair| pair[0].0.group != pair[1].0.group);
        let bottom = top + ROW * bars.len() as f64 + BETWEEN_GROUPS * groups.count() as f64 + 4.0;
        for tick in ticks(longest) {
            let at = x(tick);
            let class = if tick.is_zero() { "base" } else { "grid" };
            self.line(class, [at, top, at, bottom]);
            self.text(at, bottom + 16.0, "middle", "small", &tick_label(tick));
        }

        let mut middle = top + ROW / 2.0 + 2.0;
        let mut group = None;
        for (bar, spread) in &bars {
            if group != Some(&bar.group) {
                if group.is_some() {
                    middle += BETWEEN_GROUPS;
                }
                group = Some(&bar.group);
                self.text(MARGIN, middle + 4.5, "start", "", &bar.group);
            }
            self.bar(bar, spread, middle, &x, &beside(&bars, bar, spread));
            middle += ROW;
        }
        self.y = bottom + 52.0;
    }

    fn bar(
        &mut self,
        bar: &Bar,
        spread: &Spread,
        middle: f64,
        x: &impl Fn(Duration) -> f64,
        beside: &str,
    ) {
        let (name, class) = match bar.kind {
            Kind::Bare => ("QEMU, start and quit", "bare"),
            Kind::Warm => ("warm", "warm"),
            Kind::Cold => ("cold", "cold"),
        };
        self.text(NAMES, middle + 4.5, "end", "soft", name);
        self.element(format_args!(
            "<rect class=\"{class}\" x=\"{BARS}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{THICK}\" rx=\"1.5\"/>",
            middle - THICK / 2.0,
            x(spread.median) - BARS
        ));
        let (least, most) = (x(spread.least), x(spread.most));
        let (up, down) = (middle - 3.5, middle + 3.5);
        self.element(format_args!(
            "<path class=\"whisker\" d=\"M{least:.1} {up:.1}V{down:.1}M{least:.1} {middle:.1}H{most:.1}M{most:.1} {up:.1}V{down:.1}\"/>"
        ));
        let figure = escape(&show(spread.median));
        self.element(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\"><tspan font-weight=\"600\">{figure}</tspan><tspan class=\"soft\" dx=\"8\">{beside}</tspan></text>",
            most + 9.0,
            middle + 4.5
        ));
    }
}

/// What a bar's figure is to its neighbour's.
fn beside(bars: &[(&Bar, Spread)], bar: &Bar, spread: &Spread) -> String {
    let of = |kind| {
        let other = bars
            .iter()
            .find(|(other, _)| other.group == bar.group && other.kind == kind)?;
        Some(other.1.median)
    };
    match (of(Kind::Bare), of(Kind::Cold)) {
        (Some(bare), _) if bar.kind != Kind::Bare => {
            format!("{:.1}× as long", ratio(spread.median, bare))
        }
        (None, Some(cold)) if bar.kind == Kind::Warm => {
            format!("{:.1}× faster", ratio(cold, spread.median))
        }
        _ => String::new(),
    }
}

/// Round times from zero on, about five of them.
fn ticks(longest: Duration) -> Vec<Duration> {
    let longest = ms(longest);
    let mut power = 1.0;
    while power * 50.0 < longest {
        power *= 10.0;
    }
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps
        .into_iter()
        .find(|step| longest / step <= 6.0)
        .unwrap_or(power * 10.0);
    (0_u32..)
        .map(|index| f64::from(index) * step)
        .take_while(|tick| *tick <= longest)
        .map(|tick| Duration::from_secs_f64(tick / 1e3))
        .collect()
}

fn tick_label(tick: Duration) -> String {
    match ms(tick) {
        zero if zero < 0.5 => "0".to_owned(),
        seconds if seconds >= 1000.0 => format!("{} s", seconds / 1e3),
        short => format!("{short:.0} ms"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Hardware, Host};

    #[test]
    fn ticks_are_round_and_few() {
        let of = |millis| -> Vec<String> {
            ticks(Duration::from_millis(millis))
                .into_iter()
                .map(tick_label)
                .collect()
        };
        assert_eq!(of(137), ["0", "50 ms", "100 ms"]);
        assert_eq!(of(3400), ["0", "1 s", "2 s", "3 s"]);
        assert_eq!(of(2400), ["0", "500 ms", "1 s", "1.5 s", "2 s"]);
        assert_eq!(of(0), ["0"]);
    }

    #[test]
    fn every_bar_has_its_figure() {
        let time = |panel, group: &str, kind, millis| Time {
            what: "a cell".to_owned(),
            spread: Spread {
                median: Duration::from_millis(millis),
                least: Duration::from_millis(millis * 9 / 10),
                most: Duration::from_millis(millis * 11 / 10),
                runs: 9,
            },
            bar: Some(Bar {
                panel,
                group: group.to_owned(),
                kind,
            }),
        };
        let report = Report {
            host: Host {
                hardware: Hardware {
                    cpu: "A <B> & C".to_owned(),
                    cpus: 2,
                    memory_mib: Some(4096),
                    kernel: "Linux".to_owned(),
                },
                qemu: "7.2.22".to_owned(),
                accelerator: "tcg".to_owned(),
                firmware: Vec::new(),
            },
            times: vec![
                time(Panel::Seabios, "", Kind::Bare, 30),
                time(Panel::Seabios, "", Kind::Warm, 60),
                time(Panel::Ovmf, "ahci", Kind::Warm, 300),
                time(Panel::Ovmf, "ahci", Kind::Cold, 3000),
                time(Panel::Ovmf, "usb-cd", Kind::Cold, 3300),
            ],
            rows: Vec::new(),
        };
        let svg = svg(&report);
        for part in [
            ">30.0 ms<",
            ">60.0 ms<",
            "2.0× as long<",
            ">300 ms<",
            "10.0× faster<",
            ">3.00 s<",
            ">3.30 s<",
            ">usb-cd<",
            ">A &lt;B&gt; &amp; C, 2 processors, 4 GiB of memory, Linux<",
            "Medians of 9 runs,",
        ] {
            assert!(svg.contains(part), "{part} is not in\n{svg}");
        }
        assert_eq!(svg.matches("<rect").count(), 1 + report.times.len());
    }
}
