//! The page about a run, in a real browser.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

mod browser;
#[path = "../common/mod.rs"]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::browser::{Browser, Page};
use crate::common::xtask;

const DESK: (u32, u32) = (1280, 1000);
const PHONE: (u32, u32) = (390, 844);
/// The cells of `planted.toml` that fail, by what they are told to have.
const MOVED: &str = "moved/-/bios+efi,defect=boot-record-misplaced/-/reference/seabios/ide";
const SHORT: &str = "short/-/efi,count=9/-/reference/ovmf/ahci";

/// Runs what is declared in `planted.toml`, its healthy discs accepted before.
fn planted() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let scenarios = folder.path().join("planted.toml");
    fs::write(&scenarios, include_str!("planted.toml")).unwrap();
    let out = folder.path().join("out");
    let run = |more: &[&str]| {
        let mut arguments = vec!["boot-matrix", "--scenarios", scenarios.to_str().unwrap()];
        arguments.extend(["--out", out.to_str().unwrap()]);
        arguments.extend(more);
        xtask(&arguments)
    };
    run(&["--accept"]);
    let said = run(&["--format", "json"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stderr.contains("report.html"), "{}", said.stderr);
    (folder, out)
}

/// Makes the page of a folder anew.
fn page(out: &Path) -> PathBuf {
    let said = xtask(&["report", out.to_str().unwrap(), "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    PathBuf::from(said.json()["file"].as_str().unwrap())
}

/// Whether a cell is unfolded and in sight.
async fn shows(page: &Page, id: &str) -> bool {
    let cell = format!("document.getElementById({})", json!(id));
    let seen = format!(
        "(() => {{ const box = {cell}.getBoundingClientRect(); return {cell}.open && box.top < innerHeight && box.bottom > 0; }})()"
    );
    page.is(&seen).await == json!(true)
}

#[test]
fn the_page_about_a_run_with_failures() {
    let (_folder, out) = planted();
    let file = out.join("report.html");
    let browser = Browser::start();
    browser.open(&file, DESK, async |page| {
        looks_right(page).await;
        filters(page).await;
        keyboard_alone_suffices(page).await;
    });
    let linked = format!("location.hash = {}", json!(format!("#{SHORT}")));
    browser.open(&file, DESK, async |page| {
        // As a link from an annotation leads here.
        page.client.execute(&format!("{linked};"), Vec::new()).await.unwrap();
        page.is("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))").await;
        assert!(shows(page, SHORT).await);
        page.picture("report-cell.png").await;
    });
    browser.open(&file, PHONE, async |page| {
        assert_eq!(page.is("innerWidth").await, json!(PHONE.0));
        page.picture("report-phone.png").await;
        // Nothing but what scrolls by itself is wider than the window.
        assert_eq!(
            page.is("document.documentElement.scrollWidth").await,
            json!(PHONE.0)
        );
    });
    hostile(&browser, &out);
}

async fn looks_right(page: &Page) {
    page.picture("report-desk.png").await;
    let title = page.client.title().await.unwrap();
    assert!(
        title.starts_with("4 of 18 cells not as expected"),
        "{title}"
    );
    let failures = page
        .is("document.querySelector('#failures').innerText")
        .await;
    let failures = failures.as_str().unwrap();
    // The cause of each, in the list.
    assert!(
        failures.contains("the boot record is at LBA 18"),
        "{failures}"
    );
    assert!(failures.contains("the sector count 9"), "{failures}");
    let squares = "document.querySelectorAll('.grid .square').length";
    assert_eq!(page.is(squares).await, json!(18));
    // Failures come first, in the grid as in the list.
    let first = "document.querySelector('.grid tbody th').innerText";
    assert_eq!(page.is(first).await, json!("moved"));
    // The bytes that are to blame: the count of slot 1 is 9.
    let marked = format!(
        "[...document.getElementById({}).querySelectorAll('.hex mark')].map((mark) => mark.textContent).join(' ')",
        json!(SHORT)
    );
    let marked = page.is(&marked).await;
    assert!(marked.as_str().unwrap().contains("09 00"), "{marked}");
    // What a screen reader is told: every square has a name, every picture a text.
    let nameless = "[...document.querySelectorAll('a.square, svg[role=img], img')].filter((e) => !(e.ariaLabel || e.alt)).length";
    assert_eq!(page.is(nameless).await, json!(0));
}

async fn filters(page: &Page) {
    let shown =
        "[...document.querySelectorAll('details.cell:not([hidden])')].map((cell) => cell.id)";
    let choose = |name: &str, value: &str| {
        format!(
            "(() => {{ const form = document.querySelector('form.filter'); form.elements[{}].value = {}; form.dispatchEvent(new Event('input')); return 1; }})()",
            json!(name),
            json!(value)
        )
    };
    page.is(&choose("firmware", "ovmf")).await;
    let of_ovmf = page.is(shown).await;
    assert_eq!(of_ovmf.as_array().unwrap().len(), 8);
    page.is(&choose("verdict", "mismatch")).await;
    assert_eq!(page.is(shown).await.as_array().unwrap().len(), 2);
    let squares = "document.querySelectorAll('.grid .square:not([hidden])').length";
    assert_eq!(page.is(squares).await, json!(2));
    page.client
        .find(fantoccini::Locator::Css("form.filter button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    // The page acts when the elements have their first values.
    page.is("new Promise((done) => setTimeout(() => done(1)))")
        .await;
    assert_eq!(page.is(shown).await.as_array().unwrap().len(), 18);
}

async fn keyboard_alone_suffices(page: &Page) {
    page.is("document.activeElement.blur() || 1").await;
    page.types("/misplaced").await;
    let shown = "document.querySelectorAll('details.cell:not([hidden])').length";
    // What is written in a cell counts too, and so do the cells where it does no harm.
    assert_eq!(page.is(shown).await, json!(4));
    // Escape leaves the field; n leads to the first failure.
    page.types("\u{e00c}n").await;
    assert!(shows(page, MOVED).await);
    assert_eq!(
        page.is("document.activeElement.tagName").await,
        json!("SUMMARY")
    );
    // Into the grid, one square to the right, and in.
    page.is("document.querySelector('.grid .square[tabindex=\"0\"]').focus() || 1")
        .await;
    page.types("\u{e014}\u{e007}").await;
    let hash = page.is("decodeURIComponent(location.hash.slice(1))").await;
    assert!(shows(page, hash.as_str().unwrap()).await, "{hash}");
}

/// Whatever came over the serial line, or from a tool, stays text.
fn hostile(browser: &Browser, out: &Path) {
    const EVIL: &str = "</td></script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u{202e}\u{1b}[31m\u{0}{{ 7 * 7 }}";
    let cell = out.join("cells").join(MOVED);
    let mut serial = format!("{EVIL}\r\n\u{1b}[2J").into_bytes();
    serial.extend(std::iter::repeat_n(b'x', 10 << 20));
    fs::write(cell.join("serial.raw"), serial).unwrap();
    fs::write(cell.join("screen.txt"), EVIL).unwrap();
    let change = |file: PathBuf, change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        change(&mut value);
        fs::write(&file, value.to_string()).unwrap();
    };
    change(cell.join("observation.json"), &|seen| {
        seen["words"] = json!([EVIL])
    });
    change(out.join("results.json"), &|results| {
        results["tools"]["qemu"]["version"] = json!(EVIL);
        for cell in results["cells"].as_array_mut().unwrap() {
            cell["reason"] = json!([EVIL, format!("--- accepted\n+++ {EVIL}\n+{EVIL}")]);
            cell["evidence"] = json!("../../../../etc");
        }
    });
    let file = page(out);
    assert!(fs::metadata(&file).unwrap().len() < 3 << 20);
    browser.open(&file, DESK, async |page| {
        page.picture("report-hostile.png").await;
        let title = page.client.title().await.unwrap();
        assert!(title.contains("boot-matrix"), "{title}");
        assert_eq!(page.is("document.scripts.length").await, json!(1));
        let text = page.is("document.body.textContent").await;
        let text = text.as_str().unwrap();
        assert!(text.contains("<script>document.title='taken'</script>"));
        assert!(text.contains("{{ 7 * 7 }}") && text.contains("‹U+202E›"));
        let unseen = ['\u{202e}', '\u{1b}', '\u{0}'];
        assert!(!text.contains(unseen));
        assert_eq!(
            page.is("document.querySelectorAll('a[href*=\"etc\"]').length")
                .await,
            json!(0)
        );
    });
}
